/** Issues a token, and shows its secret once. */
import { call } from './api.js';
import { chipEditor } from './chips.js';
import { busy, checkbox, errorPlace, field, fill, h, openDialog, toast } from './dom.js';
import { fromLocalInput, nowS, toLocalInput } from './format.js';

const DAY_S = 86_400;
const LIVES = [
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '1 year'],
  ['date', 'On a date …'],
  ['never', 'Never'],
];

/** @param {() => void} onIssued called once there is a new token */
export function openIssueDialog(onIssued) {
  const owner = h('input', { name: 'owner', required: true, autocomplete: 'off', maxlength: '256' });
  const description = h('input', { name: 'description', autocomplete: 'off', maxlength: '256' });
  const life = h('select', {}, ...LIVES.map(([value, label]) => h('option', { value }, label)));
  const date = h('input', { type: 'datetime-local', 'aria-label': 'Expiry date' });
  date.value = toLocalInput(nowS() + 30 * DAY_S);
  date.hidden = true;
  life.value = '90';
  life.addEventListener('change', () => (date.hidden = life.value !== 'date'));
  const roles = chipEditor('Roles', []);
  const scopes = chipEditor('Scopes', []);
  const admin = checkbox('Administrator', { hint: 'May issue, change and revoke every token.' });
  const tokenId = h('input', { pattern: '[A-Za-z0-9_\\-]{1,64}', autocomplete: 'off', spellcheck: 'false' });
  const error = errorPlace();
  const submit = h('button', { class: 'primary', type: 'submit' }, 'Issue token');

  const expiresAt = () => {
    if (life.value === 'never') return undefined;
    return life.value === 'date' ? fromLocalInput(date.value) : nowS() + Number(life.value) * DAY_S;
  };
  const content = () => ({
    owner: owner.value.trim(),
    isAdmin: admin.input.checked,
    roles: roles.words(),
    scopes: scopes.words(),
    ...(tokenId.value === '' ? {} : { tokenId: tokenId.value }),
    ...(expiresAt() === undefined ? {} : { expiresAt: expiresAt() }),
    ...(description.value.trim() === '' ? {} : { description: description.value.trim() }),
  });
  const form = h(
    'form',
    { class: 'form', on: { submit: (event) => send(event) } },
    field('Owner', owner, 'Whom to ask about this token: a person, a team or a machine.'),
    field('Description', description),
    h('div', { class: 'pair' }, roles.element, scopes.element),
    h(
      'div',
      { class: 'pair' },
      field('Expires', life),
      h('div', { class: 'field' }, h('span', { class: 'label' }, ' '), date),
    ),
    admin.element,
    h(
      'details',
      {},
      h('summary', {}, 'Choose the token id'),
      field('Token id', tokenId, 'Letters, digits, - and _. Left empty, it is made up.'),
    ),
    error,
    h('div', { class: 'dialog-foot' }, submit),
  );
  const send = (event) => {
    event.preventDefault();
    void busy(submit, error, async () => {
      const { token, record } = await call('POST', 'tokens', content());
      onIssued();
      showToken(dialog, token, record);
    });
  };
  const dialog = openDialog('Issue a token', [form]);
}

function showToken(dialog, token, record) {
  const copy = h('button', { class: 'primary', type: 'button' }, 'Copy token');
  copy.addEventListener('click', () =>
    busy(copy, undefined, async () => {
      await navigator.clipboard.writeText(token);
      fill(copy, 'Copied');
      toast('The token is in the clipboard.');
    }),
  );
  fill(
    dialog.body,
    h(
      'p',
      {},
      'For ',
      h('strong', {}, record.owner),
      '. Copy it now: ',
      h('strong', {}, 'it is not shown again.'),
    ),
    h(
      'div',
      { class: 'secret' },
      h('code', { class: 'mono', id: 'issued-token', 'aria-label': 'The new token' }, token),
    ),
    h(
      'div',
      { class: 'dialog-foot' },
      h('button', { type: 'button', on: { click: () => dialog.close() } }, 'Done'),
      copy,
    ),
  );
  copy.focus();
}
