/** Where a Check stands in a trace, as whoever asked says (W3C Trace Context, level 1). Untrusted. */
export interface TraceParent {
  /** 32 digits of lower-case base sixteen, not all zero. */
  readonly traceId: string;
  /** 16 digits, not all zero. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?$/;
/** A later version may be longer. */
const MAX_CHARS = 256;
const SAMPLED = 1;

/**
 * Reads `traceparent` strictly: anything that is not to the letter counts as absent.
 *
 * @param text as it came
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceParent(text: string | undefined): TraceParent | undefined {
  if (text === undefined || text.length > MAX_CHARS) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || version === 'ff') return undefined;
  // Version 00 has four members; what follows those of a later one is not known here.
  if (version === '00' && more !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (parseInt(flags, 16) & SAMPLED) === SAMPLED };
}
