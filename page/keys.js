/** The key sets that tokens are verified with, and how old they are. */
import { call } from './api.js';
import { busy, fill, h } from './dom.js';
import { badge, lasting } from './format.js';

/** @returns {HTMLElement} */
export function keysView() {
  const grid = h('div', { class: 'grid' });
  const load = async () => {
    const { issuers } = await call('GET', 'keys');
    fill(grid, ...issuers.map(card));
    if (issuers.length === 0) fill(grid, h('p', { class: 'muted' }, 'No issuers are configured.'));
  };
  const refresh = h(
    'button',
    { type: 'button', on: { click: () => busy(refresh, undefined, load) } },
    'Refresh',
  );
  load().catch((error) => fill(grid, h('p', { class: 'error' }, error.message)));
  return h(
    'section',
    { class: 'view' },
    h(
      'div',
      { class: 'view-head' },
      h(
        'div',
        {},
        h('h1', { tabindex: '-1' }, 'Keys'),
        h('p', {}, 'Key sets of the trusted issuers, as this server holds them.'),
      ),
      refresh,
    ),
    grid,
  );
}

function card(keys) {
  const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const skipped = Object.entries(keys.skipped ?? {}).map(([reason, count]) => `${count} ${reason}`);
  return h(
    'article',
    { class: 'card pad' },
    h(
      'div',
      { class: 'spread' },
      h('h2', { class: 'mono' }, keys.issuer),
      keys.ready
        ? badge(keys.failures > 0 ? 'warn' : 'ok', keys.failures > 0 ? 'Stale' : 'Ready')
        : badge('bad', 'No keys'),
    ),
    h(
      'dl',
      { class: 'facts' },
      fact('Keys', String(keys.keyCount)),
      fact('Age', keys.ageMs === undefined ? 'configured' : lasting(keys.ageMs)),
      fact('Source', keys.source),
      skipped.length > 0 && fact('Not used', skipped.join(', ')),
    ),
    keys.lastError && h('p', { class: 'error small' }, keys.lastError),
  );
}
