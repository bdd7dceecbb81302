/** Words for times and states. */
import { h } from './dom.js';

const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });

export const nowS = () => Math.floor(Date.now() / 1000);

/** @param {number} seconds since the epoch */
export function ago(seconds) {
  const left = seconds - nowS();
  const [unit, size] = UNITS.find(([, one]) => Math.abs(left) >= one) ?? ['second', 1];
  if (unit === 'second') return left <= 0 ? 'just now' : 'in a moment';
  return relative.format(Math.round(left / size), unit);
}

/** A point in time: how long ago in words, exactly as a tooltip. */
export function when(seconds, words = ago(seconds)) {
  const date = new Date(seconds * 1000);
  return h('time', { datetime: date.toISOString(), title: absolute.format(date) }, words);
}

/** The day of a point in time; its exact time as a tooltip. */
export const onDay = (seconds) => when(seconds, day.format(new Date(seconds * 1000)));

/** @param {number} ms @returns {string} a length of time */
export function lasting(ms) {
  const seconds = Math.round(ms / 1000);
  const [unit, size] = UNITS.find(([, one]) => seconds >= one) ?? ['second', 1];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

const SOON_S = 7 * 86_400;

/** A token's state as a badge. */
export function stateBadge(record) {
  if (record.revokedAt !== undefined) return badge('bad', 'Revoked');
  if (record.expiresAt === undefined) return badge('ok', 'Active');
  if (record.expiresAt <= nowS()) return badge('off', 'Expired');
  return record.expiresAt - nowS() < SOON_S
    ? badge('warn', `Expires ${ago(record.expiresAt)}`)
    : badge('ok', 'Active');
}

export const badge = (kind, text) => h('span', { class: `badge ${kind}` }, text);

/** Seconds as the value of a datetime-local input, and back. */
export function toLocalInput(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
export const fromLocalInput = (text) => Math.floor(new Date(text).getTime() / 1000);
