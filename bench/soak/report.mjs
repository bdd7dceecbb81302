/** The report of a soak, as Markdown. */
import { loadAverage, surroundings, table } from '../lib/report.mjs';

/** More than this over the last part of the soak is growth; an hour of it would be a leak. */
const GROWTH_LIMIT_PERCENT = 10;

const digits = (value, places = 0) => (Number.isFinite(value) ? value.toFixed(places) : 'n/a');

/** @returns {{ text: string, passed: boolean }} */
export function soakReport(result) {
  const { sender, chaos, watch, stillOpen, alive, minutes, sinceMs, rate, issuer } = result;
  const trends = ['residentMib', 'heapMib', 'handles'].map((what) => [what, watch.trend(what, sinceMs)]);
  const unanswered = sender.unanswered + stillOpen;
  const grows = trends
    .filter(([, { grownPercent }]) => grownPercent > GROWTH_LIMIT_PERCENT)
    .map(([what]) => what);
  const passed = sender.wrongCount === 0 && unanswered === 0 && grows.length === 0 && alive;
  const where = surroundings();
  const sent = [...sender.accounts.values()].reduce((sum, account) => sum + account.sent, 0);
  const { p50, p99, p999 } = sender.latencies.summary();
  const text = `# Soak

${where.date}: ${digits(minutes, 1)} minutes at ${rate} Checks per second, ${watch.samples.at(-1)?.processes - 1} workers; ${where.cpu},
Node ${where.node}, ${where.kernel}, load average ${loadAverage().join(' ')}. Repeat with \`npm run soak -- --minutes ${Math.round(minutes)}\`.

**${passed ? 'Passed' : 'FAILED'}**: ${sent} Checks, ${sender.wrongCount} wrong answers (${sender.wrongAllows} of them allows), ${unanswered} unanswered,
${sender.lostToKills} calls lost with workers that were killed (failed calls, none of them an allow), ${sender.shed} shed as overload, ${sender.slowStore}
proofs refused because Redis was slow, ${sender.late} calls past their deadline${grows.length > 0 ? `; growing: ${grows.join(', ')}` : ''}${alive ? '' : '; the gate ended'}.
Latency p50 ${digits(p50)} ms, p99 ${digits(p99)} ms, p99.9 ${digits(p999)} ms, outages included. The issuer was asked ${issuer.fetches} times.

## What happened

${table(
  ['event', 'times'],
  Object.entries(chaos.happened).map(([name, times]) => [name, times]),
)}

## What was sent, and what came back

${table(
  ['kind', 'sent', 'right', 'statuses'],
  [...sender.accounts].map(([kind, account]) => [kind, account.sent, account.right, statusesOf(account)]),
)}

A kind's right answers depend on the moment: while keys, configuration, Redis or workers change, the answer of before and that of
after are both right, and a 503 where a dependency is gone. What must never be allowed is never allowed, at any moment.

## Memory and handles

All processes together, over the last part, in which none is killed; low points, by the median of all slopes.

${table(
  ['what', 'from', 'to', 'an hour', 'grown'],
  trends.map(([what, trend]) => [
    what,
    digits(trend.from, 1),
    digits(trend.to, 1),
    digits(trend.perHour, 1),
    `${digits(trend.grownPercent, 1)} %`,
  ]),
)}

${table(['minute', 'processes', 'resident MiB', 'heap MiB', 'file descriptors'], perMinute(watch.samples))}
${sender.wrong.length > 0 ? `\n## Examples of what was wrong\n\n${sender.wrong.map(({ kind, what, at }) => `- ${kind}: ${what}${at ? ` (${at})` : ''}`).join('\n')}\n` : ''}`;
  return { text, passed };
}

const statusesOf = ({ statuses }) =>
  Object.entries(statuses)
    .map(([status, count]) => `${status}: ${count}`)
    .join(', ');

function perMinute(samples) {
  const firstMs = samples[0]?.atMs ?? 0;
  const rows = new Map(samples.map((sample) => [Math.floor((sample.atMs - firstMs) / 60_000), sample]));
  return [...rows].map(([minute, sample]) => [
    minute,
    sample.processes,
    digits(sample.residentMib),
    digits(sample.heapMib),
    sample.handles,
  ]);
}
