import { describe, expect, test } from '@jest/globals';
import { createCutReport } from '../../src/server/transport.js';

function reportAt(times: number[]) {
  const lines: [level: string, fields: object][] = [];
  const log = {
    warn: (fields: object) => void lines.push(['warn', fields]),
    error: (fields: object) => void lines.push(['error', fields]),
  };
  return { lines, report: createCutReport(log, () => times.shift() ?? 0) };
}

describe('createCutReport()', () => {
  test('a flood of cuts is one line per second, which says how many were left out', () => {
    const { lines, report } = reportAt([0, 1, 2, 999, 1000, 1001]);
    for (let i = 0; i < 6; i++) report('early_reset', '10.0.0.1');
    expect(lines).toEqual([
      ['warn', { reason: 'early_reset', peer: '10.0.0.1', omitted: 0 }],
      ['warn', { reason: 'early_reset', peer: '10.0.0.1', omitted: 3 }],
    ]);
  });

  test('a fault of ours is an error with its cause', () => {
    const { lines, report } = reportAt([0]);
    const fault = new TypeError('x');
    report('internal_error', 'unix', fault);
    expect(lines).toEqual([['error', { reason: 'internal_error', peer: 'unix', omitted: 0, err: fault }]]);
  });
});
