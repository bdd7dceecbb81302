import { describe, expect, test } from '@jest/globals';
import type { Span } from '../../../src/observability/tracing/span.js';
import { createSpanExporter } from '../../../src/observability/tracing/span-exporter.js';
import { silentLogger } from '../../../src/ports.js';

const SPAN: Span = {
  traceId: '1'.repeat(32),
  spanId: '2'.repeat(16),
  parentSpanId: undefined,
  name: 'x',
  kind: 'server',
  startNs: 1n,
  endNs: 2n,
  attributes: {},
  isError: false,
};

/** Nothing happens until it is told to. */
function manual(send: (spans: readonly Span[]) => Promise<void>, maxWaiting = 10) {
  const waiting: (() => void)[] = [];
  const warnings: object[] = [];
  const scheduler = {
    after: (_ms: number, run: () => void) => {
      waiting.push(run);
      return () => undefined;
    },
  };
  const log = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
  return {
    exporter: createSpanExporter({ send, scheduler, log, maxWaiting }),
    warnings,
    tick: async () => {
      for (const run of waiting.splice(0)) run();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('createSpanExporter()', () => {
  test('sends what came together in one batch', async () => {
    const batches: number[] = [];
    const { exporter, tick } = manual((spans) => {
      batches.push(spans.length);
      return Promise.resolve();
    });
    for (let index = 0; index < 3; index++) exporter.add(SPAN);
    await tick();
    expect({ batches, sent: exporter.sent }).toEqual({ batches: [3], sent: 3 });
  });

  test('a dead collector costs spans, a counter and one warning, and memory only up to the bound', async () => {
    const { exporter, tick, warnings } = manual(() => Promise.reject(new Error('refused')));
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 20; index++) exporter.add(SPAN);
      await tick();
    }
    expect({ sent: exporter.sent, dropped: exporter.dropped }).toEqual({ sent: 0, dropped: 60 });
    expect(warnings).toEqual([{ reason: 'refused' }]);
  });

  test('close() sends what waits', async () => {
    const { exporter } = manual(() => Promise.resolve());
    exporter.add(SPAN);
    await exporter.close();
    expect(exporter.sent).toBe(1);
    exporter.add(SPAN);
    expect(exporter.dropped).toBe(1);
  });
});
