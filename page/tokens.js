/** The list of tokens. */
import { call, query } from './api.js';
import { chipList } from './chips.js';
import { busy, checkbox, fill, h } from './dom.js';
import { stateBadge, when } from './format.js';
import { openIssueDialog } from './issue-dialog.js';
import { openTokenDialog } from './token-dialog.js';

const PAGE = 50;
const TYPING_MS = 250;

/** @returns {HTMLElement} */
export function tokensView() {
  const state = { records: [], hasMore: false, search: '', includeRevoked: false, includeExpired: false };
  const rows = h('tbody');
  const table = h(
    'table',
    { class: 'list tokens' },
    h('caption', { class: 'visually-hidden' }, 'Personal access tokens'),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ...['Token', 'Roles and scopes', 'State', 'Last used'].map((name) => h('th', { scope: 'col' }, name)),
        h('th', { scope: 'col', class: 'act' }, h('span', { class: 'visually-hidden' }, 'Actions')),
      ),
    ),
    rows,
  );
  const empty = h('div', { class: 'empty', hidden: true });
  const more = h('button', { type: 'button' }, 'Show more');
  const moreRow = h('div', { class: 'more', hidden: true }, more);
  const count = h('span', { class: 'visually-hidden', role: 'status' });

  const parameters = (rest) => ({
    includeRevoked: state.includeRevoked,
    includeExpired: state.includeExpired,
    limit: PAGE,
    ...rest,
  });
  const list = async (rest) => (await call('GET', `tokens${query(parameters(rest))}`)).records;

  let loading = 0;
  const load = async (isMore = false) => {
    const mine = ++loading;
    const { search } = state;
    const last = isMore ? state.records.at(-1)?.tokenId : undefined;
    const found = search === '' ? await list({ afterTokenId: last }) : await find(search, list);
    if (mine !== loading) return;
    state.hasMore = search === '' && found.length === PAGE;
    state.records = isMore ? [...state.records, ...found] : found;
    render();
  };
  const reload = () => load().catch((error) => showEmpty('The tokens cannot be shown', error.message));
  const showEmpty = (title, text) => {
    fill(rows);
    table.hidden = true;
    empty.hidden = false;
    fill(empty, h('h2', {}, title), h('p', {}, text));
  };
  const render = () => {
    const { records, search } = state;
    moreRow.hidden = !state.hasMore;
    fill(count, `${records.length} tokens shown`);
    if (records.length === 0) {
      showEmpty(
        search === '' ? 'No tokens yet' : 'Nothing found',
        search === ''
          ? 'Issue the first one for a script, a robot or an agent.'
          : 'Search takes a token id, an owner or a role, each in full.',
      );
      return;
    }
    table.hidden = false;
    empty.hidden = true;
    fill(rows, ...records.map((record) => row(record, reload)));
  };
  const restart = (change) => {
    Object.assign(state, change);
    void reload();
  };

  let typing;
  const search = h('input', {
    type: 'search',
    class: 'search',
    placeholder: 'Search by token id, owner or role',
    'aria-label': 'Search tokens',
    autocomplete: 'off',
    spellcheck: 'false',
    on: {
      input: () => {
        clearTimeout(typing);
        const text = withoutSecret(search.value.trim());
        if (text !== search.value.trim()) search.value = text;
        typing = setTimeout(() => restart({ search: text }), TYPING_MS);
      },
    },
  });
  more.addEventListener('click', () => busy(more, undefined, () => load(true)));
  void reload();
  return h(
    'section',
    { class: 'view' },
    h(
      'div',
      { class: 'view-head' },
      h(
        'div',
        {},
        h('h1', { tabindex: '-1' }, 'Tokens'),
        h('p', {}, 'Personal access tokens for scripts, robots and agents.'),
      ),
      h(
        'button',
        { class: 'primary', type: 'button', on: { click: () => openIssueDialog(reload) } },
        'Issue token',
      ),
    ),
    h(
      'div',
      { class: 'card' },
      h(
        'div',
        { class: 'toolbar' },
        search,
        checkbox('Revoked', { onChange: (includeRevoked) => restart({ includeRevoked }) }).element,
        checkbox('Expired', { onChange: (includeExpired) => restart({ includeExpired }) }).element,
        count,
      ),
      table,
      empty,
      moreRow,
    ),
  );
}

/** The server finds what is named in full: by id, by owner, by role. */
async function find(text, list) {
  const byId = /^[A-Za-z0-9_-]{1,64}$/.test(text)
    ? call('POST', 'tokens/batch', { tokenIds: [text] }).then(({ found }) => found)
    : [];
  const found = (await Promise.all([byId, list({ owner: text }), list({ hasRole: text })])).flat();
  return [...new Map(found.map((record) => [record.tokenId, record])).values()];
}

/** Of a whole token that was pasted only the id is looked for: a secret must not get into an address. */
const withoutSecret = (text) => /^[A-Za-z0-9]+_([A-Za-z0-9_-]{1,64})\..{20}/.exec(text)?.[1] ?? text;

function row(record, reload) {
  const manage = h('button', { type: 'button', 'aria-label': `Manage ${record.tokenId}` }, 'Manage');
  manage.addEventListener('click', () =>
    busy(manage, undefined, async () => {
      const { record: fresh } = await call('GET', `tokens/${encodeURIComponent(record.tokenId)}`);
      openTokenDialog(fresh, reload);
    }),
  );
  return h(
    'tr',
    {},
    h(
      'td',
      {},
      h('div', { class: 'who' }, record.owner),
      record.description && h('div', { class: 'muted small' }, record.description),
      h('div', { class: 'mono muted' }, record.tokenId),
    ),
    h(
      'td',
      { class: 'wide' },
      h(
        'div',
        { class: 'chips' },
        record.isAdmin && h('span', { class: 'chip admin' }, 'Administrator'),
        chipList(record.roles),
        chipList(record.scopes, 'scope'),
      ),
    ),
    h('td', {}, stateBadge(record)),
    h(
      'td',
      { class: 'muted small last' },
      record.lastUsedAt === undefined ? 'Never used' : when(record.lastUsedAt),
    ),
    h('td', { class: 'act' }, manage),
  );
}
