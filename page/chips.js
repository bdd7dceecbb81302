/** An editor for a list of short words: roles and scopes. */
import { field, fill, h, newId } from './dom.js';

/** A list for reading. */
export const chipList = (words, kind = '') => words.map((word) => h('span', { class: `chip ${kind}` }, word));

/**
 * @param {string} label
 * @param {readonly string[]} initial
 * @param {{ hint?: string, onAdd?: (words: string[]) => Promise<void>, onRemove?: (word: string) => Promise<void> }} [options]
 *   where given, a change counts only once the promise is kept
 * @returns {{ element: HTMLElement, words: () => string[] }}
 */
export function chipEditor(label, initial, { hint, onAdd, onRemove } = {}) {
  let words = [...initial];
  const list = h('div', { class: 'chips', role: 'list', 'aria-label': `${label} so far` });
  const input = h('input', {
    id: newId('chips'),
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    placeholder: 'Type and press Enter',
  });
  const render = () => {
    list.hidden = words.length === 0;
    fill(list, ...words.map(chip));
  };
  const chip = (word) =>
    h(
      'span',
      { class: 'chip', role: 'listitem' },
      word,
      h('button', { type: 'button', 'aria-label': `Remove ${word}`, on: { click: () => remove(word) } }, '×'),
    );
  const remove = async (word) => {
    await onRemove?.(word);
    words = words.filter((one) => one !== word);
    render();
    input.focus();
  };
  const take = async () => {
    const added = input.value.split(/[\s,]+/).filter((word) => word !== '' && !words.includes(word));
    input.value = '';
    if (added.length === 0) return;
    await onAdd?.(added);
    words = [...new Set([...words, ...added])];
    render();
  };
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === ',') {
      if (input.value.trim() === '' && event.key === 'Enter') return;
      event.preventDefault();
      void take();
    } else if (
      event.key === 'Backspace' &&
      input.value === '' &&
      words.length > 0 &&
      onRemove === undefined
    ) {
      void remove(words.at(-1));
    }
  });
  input.addEventListener('blur', () => void take());
  render();
  const element = field(label, input, hint);
  element.insertBefore(list, input);
  return { element, words: () => [...new Set([...words, ...input.value.split(/[\s,]+/).filter(Boolean)])] };
}
