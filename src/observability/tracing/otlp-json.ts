import { type AttributeValue, type Span, SPAN_KINDS, STATUS_ERROR } from './span.js';

/** What all spans of a process have in common. */
export interface Resource {
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** The instrumentation scope. */
  readonly scope: { readonly name: string; readonly version: string };
}

/**
 * Writes spans as ExportTraceServiceRequest in JSON: ids in base sixteen, 64-bit numbers as text.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function encodeOtlpJson(spans: readonly Span[], { attributes, scope }: Resource): Buffer {
  const request = {
    resourceSpans: [
      {
        resource: { attributes: keyValues(attributes) },
        scopeSpans: [{ scope, spans: spans.map(jsonSpan) }],
      },
    ],
  };
  return Buffer.from(JSON.stringify(request), 'utf8');
}

function jsonSpan(span: Span): object {
  const { traceId, spanId, parentSpanId, name } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: SPAN_KINDS[span.kind],
    startTimeUnixNano: String(span.startNs),
    endTimeUnixNano: String(span.endNs),
    attributes: keyValues(span.attributes),
    status: span.isError ? { code: STATUS_ERROR } : {},
  };
}

function keyValues(attributes: Span['attributes']): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: jsonValue(value) }],
  );
}

function jsonValue(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
