/** What was measured, and where: as a table and as JSON. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { createRequire } from 'node:module';
import { inRepository } from '../../test/support/repository.mjs';
import { h2loadBinary } from './h2load.mjs';

const require = createRequire(import.meta.url);
const measuredPackages = ['@grpc/grpc-js', '@grpc/proto-loader', 'lru-cache', 'jose', 'prom-client', 'pino'];

const versionOf = (name) => {
  const entry = require.resolve.paths(name).map((path) => `${path}/${name}/package.json`);
  for (const file of entry) {
    try {
      return JSON.parse(readFileSync(file, 'utf8')).version;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
};

/** The machine and the versions a figure belongs to. */
export function surroundings() {
  const [cpu] = os.cpus();
  return {
    date: new Date().toISOString(),
    cpu: `${os.cpus().length} × ${cpu?.model.trim()}`,
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    v8: process.versions.v8,
    openssl: process.versions.openssl,
    nghttp2: process.versions.nghttp2,
    portcullis: JSON.parse(readFileSync(inRepository('package.json'), 'utf8')).version,
    packages: Object.fromEntries(measuredPackages.map((name) => [name, versionOf(name)])),
    closedLoopDriver: h2loadBinary ? 'h2load where all requests are the same, else node' : 'node',
  };
}

/** How busy the machine was with other things; more than the cores it has: mistrust the figures. */
export const loadAverage = () => os.loadavg().map((value) => Math.round(value * 100) / 100);

const digits = (value, places = 1) =>
  value === undefined || Number.isNaN(value) ? '' : value.toFixed(places);

const triple = (summary) =>
  summary ? [summary.p50, summary.p99, summary.p999].map((ms) => digits(ms, 2)).join(' / ') : '';

/** Columns as wide as their widest cell, in the form Markdown reads. */
export function table(head, rows) {
  const all = [head, ...rows.map((row) => row.map((cell) => String(cell ?? '')))];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => [...row[column]].length)));
  const line = (row) =>
    `| ${row.map((cell, i) => cell + ' '.repeat(widths[i] - [...cell].length)).join(' | ')} |`;
  return [
    line(all[0]),
    `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...all.slice(1).map(line),
  ].join('\n');
}

const verdict = ({ met, limit }) => (limit === Infinity ? '' : met ? 'met' : 'NOT MET');

/** The rows of a decision or of growth. */
export const decisionTable = (rows) =>
  table(
    [
      'case',
      'CPU µs per Check',
      'floor µs',
      '× floor',
      'raw verify µs',
      'judged',
      'target',
      '',
      'requests/s (floor)',
      'closed loop p50/p99/p99.9 ms',
      'open loop ms',
      'floor open loop ms',
    ],
    rows.map((row) => [
      row.title,
      digits(row.cpuUs),
      digits(row.floorUs),
      digits(row.ratioToFloor, 2),
      digits(row.rawVerifyUs),
      `${digits(row.value, 2)} (${row.valueRange.map((value) => digits(value, 2)).join(' to ')})`,
      row.target,
      verdict(row) + (row.wrong ? ` (${row.wrong} wrong)` : ''),
      `${digits(row.throughput, 0)} (${digits(row.floorThroughput, 0)})`,
      triple(row.latencyMs.closed),
      triple(row.latencyMs.open),
      triple(row.floorLatencyMs.open),
    ]),
  );

/** The rows of memory and start. */
export const standingTable = (rows) =>
  table(
    ['what', 'measured', 'target', ''],
    rows.map((row) => [
      row.title,
      `${digits(row.value, row.unit === '×' ? 2 : 0)} ${row.unit}`,
      row.target,
      verdict(row),
    ]),
  );

/** The rows through Envoy. */
export const envoyTable = ({ rows }) =>
  table(
    ['through Envoy', 'p50 ms', 'p99 ms', 'p99.9 ms', 'Envoy CPU µs', 'gate CPU µs', 'wrong'],
    rows.map((row) => [
      row.name,
      digits(row.p50, 2),
      digits(row.p99, 2),
      digits(row.p999, 2),
      digits(row.envoyUs),
      digits(row.gateUs),
      row.wrong,
    ]),
  );
