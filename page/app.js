/** The page: signing in, and the sections. */
import { call, onSignedOut, useToken } from './api.js';
import { denialsView } from './denials.js';
import { busy, errorPlace, field, fill, h } from './dom.js';
import { keysView } from './keys.js';
import { testerView } from './tester.js';
import { tokensView } from './tokens.js';

/** A page that nobody uses forgets its token. */
const IDLE_MS = 15 * 60_000;

const SECTIONS = [
  { id: 'tokens', title: 'Tokens', view: tokensView },
  { id: 'denials', title: 'Denials', view: denialsView, probe: 'denials?limit=1' },
  { id: 'tester', title: 'Tester', view: testerView, probe: 'denials?limit=1' },
  { id: 'keys', title: 'Keys', view: keysView, probe: 'keys' },
];

const main = document.getElementById('main');
const top = document.getElementById('top');
const tabs = document.getElementById('tabs');
let sections = [];
let idle;

function showSignIn(message = '') {
  useToken(undefined);
  clearTimeout(idle);
  sections = [];
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  top.hidden = true;
  document.title = 'Sign in · Portcullis';
  const input = h('input', {
    type: 'password',
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'pat_…',
  });
  const error = errorPlace();
  error.textContent = message;
  const submit = h('button', { class: 'primary', type: 'submit' }, 'Sign in');
  const signIn = (event) => {
    event.preventDefault();
    void busy(submit, error, async () => {
      useToken(input.value.trim());
      try {
        await call('GET', 'tokens?limit=1');
      } catch (problem) {
        useToken(undefined);
        throw problem;
      }
      input.value = '';
      await showSections();
    });
  };
  fill(
    main,
    h(
      'form',
      { class: 'card sign-in', on: { submit: signIn } },
      h(
        'div',
        { class: 'brand' },
        h('img', { src: '/admin/icon.svg', alt: '', width: '28', height: '28' }),
        h('span', {}, 'Portcullis'),
      ),
      h('div', {}, h('h1', {}, 'Sign in'), h('p', { class: 'muted' }, 'With the token of an administrator.')),
      field(
        'Administrator token',
        input,
        'It stays in the memory of this page, and is gone when you close or reload it.',
      ),
      error,
      submit,
    ),
  );
  input.focus();
}

/** Sections that this server does not have are left out. */
async function showSections() {
  const probes = [...new Set(SECTIONS.map(({ probe }) => probe).filter(Boolean))];
  const missing = new Set();
  await Promise.all(
    probes.map((probe) => call('GET', probe).catch((error) => error.status === 404 && missing.add(probe))),
  );
  sections = SECTIONS.filter(({ probe }) => !missing.has(probe));
  top.hidden = false;
  onActivity();
  show();
}

function show() {
  if (sections.length === 0) return;
  const current = sections.find(({ id }) => `#${id}` === location.hash) ?? sections[0];
  fill(
    tabs,
    ...sections.map(({ id, title }) =>
      h('a', { href: `#${id}`, 'aria-current': id === current.id ? 'page' : undefined }, title),
    ),
  );
  document.title = `${current.title} · Portcullis`;
  fill(main, current.view());
  scrollTo(0, 0);
  main.querySelector('h1')?.focus({ preventScroll: true });
}

function onActivity() {
  if (sections.length === 0) return;
  clearTimeout(idle);
  idle = setTimeout(() => showSignIn('You were signed out, since nothing happened for a while.'), IDLE_MS);
}

onSignedOut((reason) => sections.length > 0 && showSignIn(reason));
addEventListener('hashchange', show);
for (const event of ['pointerdown', 'keydown']) addEventListener(event, onActivity);
document.getElementById('sign-out').addEventListener('click', () => showSignIn());
showSignIn();
