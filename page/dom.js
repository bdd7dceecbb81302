/** Builds elements. Text is always text: nothing here parses HTML. */

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [props] `class`, `on` (listeners by event), and attributes; true: without a value
 * @param {...unknown} children elements and texts; undefined, null and false are left out
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  fill(element, ...children);
  return element;
}

/** Replaces what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren(
    ...children.flat().filter((child) => child !== undefined && child !== null && child !== false),
  );
  return element;
}

let ids = 0;

/** @returns an id that no other element has */
export function newId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** A label, its control and a hint, tied together for screen readers. */
export function field(label, control, hint) {
  const id = control.id || newId('field');
  control.id = id;
  const hintId = `${id}-hint`;
  if (hint) control.setAttribute('aria-describedby', hintId);
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    control,
    hint && h('span', { class: 'hint', id: hintId }, hint),
  );
}

/** A checkbox with its label. */
export function checkbox(label, { checked = false, hint, onChange } = {}) {
  const input = h('input', {
    type: 'checkbox',
    on: onChange ? { change: () => onChange(input.checked) } : {},
  });
  input.checked = checked;
  const text = h('span', {}, label, hint && h('br'), hint && h('span', { class: 'hint' }, hint));
  return { input, element: h('label', { class: hint ? 'check block' : 'check' }, input, text) };
}

/** Says something without taking the focus. */
export function toast(text) {
  const box = document.getElementById('toasts');
  const line = h('div', { class: 'toast' }, text);
  box.append(line);
  setTimeout(() => line.remove(), 4000);
}

/**
 * Opens a modal dialog and removes it when it is closed; the browser keeps the focus in it, and gives it back.
 *
 * @param {string} title
 * @param {HTMLElement[]} body
 * @param {{ subtitle?: unknown, onClose?: () => void }} [options]
 * @returns {{ close: () => void, body: HTMLElement }}
 */
export function openDialog(title, body, { subtitle, onClose } = {}) {
  const headingId = newId('dialog');
  const content = h('div', { class: 'dialog-body' }, ...body);
  const close = () => dialog.close();
  const dialog = h(
    'dialog',
    { 'aria-labelledby': headingId, on: { close: () => closed() } },
    h(
      'div',
      { class: 'dialog-head' },
      h('div', {}, h('h2', { id: headingId }, title), subtitle),
      h('button', { class: 'quiet', type: 'button', on: { click: close } }, 'Close'),
    ),
    content,
  );
  const closed = () => {
    dialog.remove();
    onClose?.();
  };
  document.body.append(dialog);
  dialog.showModal();
  (content.querySelector('input, select, textarea, button') ?? dialog).focus();
  return { close, body: content };
}

/** Runs what a button does, once at a time, and shows what went wrong. */
export async function busy(button, errorBox, work) {
  if (button.disabled) return;
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  if (errorBox) errorBox.textContent = '';
  try {
    await work();
  } catch (error) {
    if (errorBox) errorBox.textContent = error.message;
    else toast(error.message);
  } finally {
    button.disabled = false;
    button.removeAttribute('aria-busy');
  }
}

/** An empty place for an error message, read out when it is filled. */
export const errorPlace = () => h('p', { class: 'error', role: 'alert' });
