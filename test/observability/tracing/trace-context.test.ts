import { describe, expect, test } from '@jest/globals';
import { parseTraceParent } from '../../../src/observability/tracing/trace-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('parseTraceParent()', () => {
  test.each([
    ['sampled', `00-${TRACE}-${SPAN}-01`, true],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, false],
    ['other flags', `00-${TRACE}-${SPAN}-03`, true],
    ['a later version with more members', `01-${TRACE}-${SPAN}-01-what-ever`, true],
  ])('reads one that is %s', (_, text, isSampled) => {
    expect(parseTraceParent(text)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  test.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['version 00 with more members', `00-${TRACE}-${SPAN}-01-x`],
    ['blanks around it', ` 00-${TRACE}-${SPAN}-01`],
    ['two of them', `00-${TRACE}-${SPAN}-01,00-${TRACE}-${SPAN}-01`],
    ['a line break', `00-${TRACE}-${SPAN}-01\n`],
    ['a long one', `01-${TRACE}-${SPAN}-01-${'x'.repeat(100_000)}`],
  ])('takes %s as absent', (_, text) => {
    expect(parseTraceParent(text)).toBeUndefined();
  });
});
