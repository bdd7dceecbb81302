/** Sends a request through the policies without serving it: each stage, the answer, the reason. */
import { call } from './api.js';
import { busy, errorPlace, field, fill, h } from './dom.js';
import { badge } from './format.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

let prefill = {};

/** Opens the tester with a request that was refused. */
export function testRequest({ method, host, path, reason, policy, chosenBy }) {
  // Where Envoy named the policy, so does the test.
  const isNamed = ['extension', 'metadata', 'authority'].includes(chosenBy);
  prefill = { method, host, path, reason, policy: isNamed ? policy : undefined };
  location.hash = '#tester';
}

/** @returns {HTMLElement} */
export function testerView() {
  const given = prefill;
  prefill = {};
  const methods = METHODS.includes(given.method ?? 'GET') ? METHODS : [given.method, ...METHODS];
  const method = h('select', {}, ...methods.map((name) => h('option', { value: name }, name)));
  method.value = given.method ?? 'GET';
  const host = h('input', {
    placeholder: 'api.example.com',
    required: true,
    value: given.host ?? '',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const path = h('input', {
    value: given.path ?? '/',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true,
  });
  const policy = h('input', {
    value: given.policy ?? '',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'Chosen by host and path',
  });
  const token = h('textarea', {
    class: 'mono',
    placeholder: 'eyJ…',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const headers = h('textarea', {
    class: 'mono',
    placeholder: 'x-tenant: acme',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const result = h(
    'div',
    { class: 'card pad result', 'aria-live': 'polite' },
    h('p', { class: 'muted' }, 'The decision appears here, stage by stage.'),
  );
  const error = errorPlace();
  const submit = h('button', { class: 'primary', type: 'submit' }, 'Test request');
  const send = (event) => {
    event.preventDefault();
    void busy(submit, error, async () => {
      const request = {
        method: method.value,
        url: `https://${host.value.trim()}${path.value.trim()}`,
        headers: readHeaders(headers.value, token.value),
        ...(policy.value.trim() === '' ? {} : { policy: policy.value.trim() }),
      };
      fill(result, ...explanation(await call('POST', 'explain', request)));
    });
  };
  return h(
    'section',
    { class: 'view' },
    h(
      'div',
      { class: 'view-head' },
      h(
        'div',
        {},
        h('h1', { tabindex: '-1' }, 'Policy tester'),
        h(
          'p',
          {},
          'Shows how a request would be decided. Nothing is sent to your service, and no proof is spent.',
        ),
      ),
    ),
    h(
      'div',
      { class: 'split' },
      h(
        'form',
        { class: 'card pad form', on: { submit: send } },
        given.reason &&
          h(
            'p',
            { class: 'notice' },
            `This request was refused: ${given.reason}. Its credential was not kept; paste one to test with it.`,
          ),
        h('div', { class: 'request-line' }, field('Method', method), field('Host', host)),
        field('Path', path),
        field('Policy', policy, 'Only where the proxy names it.'),
        field(
          'Access token',
          token,
          'Sent as Authorization: Bearer. It stays in this page and the answer does not hold it.',
        ),
        field('More headers', headers, 'One per line.'),
        error,
        h('div', { class: 'dialog-foot' }, submit),
      ),
      result,
    ),
  );
}

function readHeaders(text, token) {
  const headers = {};
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) headers[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim();
  }
  const bare = token.trim().replace(/^Bearer\s+/i, '');
  if (bare !== '') headers.authorization = `Bearer ${bare}`;
  return headers;
}

function explanation({ decision, reason, policy, stages, why, response }) {
  const isAllowed = decision === 'allow';
  return [
    h(
      'div',
      { class: 'verdict' },
      h('span', { class: `big ${isAllowed ? 'ok' : 'bad'}` }, isAllowed ? 'Allowed' : 'Refused'),
      badge(isAllowed ? 'ok' : 'bad', reason),
      policy && h('span', { class: 'muted' }, `policy ${policy}`),
    ),
    h('ol', { class: 'stages' }, ...stages.map(stageLine)),
    why && h('h3', {}, 'Why'),
    why && h('pre', {}, JSON.stringify(why, undefined, 2)),
    h('h3', {}, 'Answer'),
    h('pre', {}, answerText(response)),
  ].filter(Boolean);
}

function stageLine({ stage, outcome }) {
  const kind = /^(denied|failed|error)/.test(outcome) ? 'bad' : outcome.startsWith('skipped') ? 'off' : '';
  return h(
    'li',
    {},
    h('span', { class: `mark ${kind}`, 'aria-hidden': 'true' }),
    h('span', {}, stage),
    h('span', { class: 'muted small' }, outcome),
  );
}

function answerText({ http, headers = [], text }) {
  const lines = headers.map(({ name, value }) => `${name}: ${value}`);
  return (
    [http && `HTTP ${http}`, ...lines, text && `\n${text}`].filter(Boolean).join('\n') ||
    'The request goes on as it is.'
  );
}
