/** Requests that were refused lately. */
import { call } from './api.js';
import { busy, fill, h } from './dom.js';
import { badge, when } from './format.js';
import { testRequest } from './tester.js';

/** @returns {HTMLElement} */
export function denialsView() {
  const rows = h('tbody');
  const table = h(
    'table',
    { class: 'list denials', hidden: true },
    h('caption', { class: 'visually-hidden' }, 'Recent denials'),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ...['When', 'Reason', 'Request', 'Policy'].map((name) => h('th', { scope: 'col' }, name)),
        h('th', { scope: 'col', class: 'act' }, h('span', { class: 'visually-hidden' }, 'Actions')),
      ),
    ),
    rows,
  );
  const empty = h('div', { class: 'empty' }, 'Loading …');
  const load = async () => {
    const { denials } = await call('GET', 'denials?limit=100');
    table.hidden = denials.length === 0;
    empty.hidden = denials.length > 0;
    fill(empty, h('h2', {}, 'No denials'), h('p', {}, 'Nothing has been refused since the server started.'));
    fill(rows, ...denials.map(row));
  };
  const refresh = h(
    'button',
    { type: 'button', on: { click: () => busy(refresh, undefined, load) } },
    'Refresh',
  );
  load().catch((error) => fill(empty, h('h2', {}, 'Denials cannot be shown'), h('p', {}, error.message)));
  return h(
    'section',
    { class: 'view' },
    h(
      'div',
      { class: 'view-head' },
      h(
        'div',
        {},
        h('h1', { tabindex: '-1' }, 'Denials'),
        h('p', {}, 'What was refused lately, and why. Credentials are never kept.'),
      ),
      refresh,
    ),
    h('div', { class: 'card' }, table, empty),
  );
}

function row(denial) {
  const request = [denial.method, `${denial.host ?? ''}${denial.path ?? ''}`].filter(Boolean).join(' ');
  const explain = h('button', { type: 'button', 'aria-label': `Test ${request}` }, 'Test');
  explain.addEventListener('click', () => testRequest(denial));
  return h(
    'tr',
    {},
    h('td', { class: 'muted small' }, when(denial.time)),
    h('td', {}, badge(denial.status >= 500 ? 'warn' : 'bad', denial.reason)),
    h(
      'td',
      { class: 'wide' },
      h('span', { class: 'mono' }, request),
      denial.requirement && h('div', { class: 'muted small' }, detailOf(denial)),
    ),
    h('td', { class: 'muted' }, denial.policy ?? '–'),
    h('td', { class: 'act' }, explain),
  );
}

/** What was asked for, and what was there. */
function detailOf({ requirement, expected, found }) {
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  const parts = [
    requirement,
    expected !== undefined && `expected ${text(expected)}`,
    found !== undefined && `found ${text(found)}`,
  ];
  return parts.filter(Boolean).join(', ');
}
