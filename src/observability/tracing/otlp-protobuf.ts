import type { Resource } from './otlp-json.js';
import { type AttributeValue, type Span, SPAN_KINDS, STATUS_ERROR } from './span.js';

/** Wire types of protobuf. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/**
 * Writes spans as ExportTraceServiceRequest in protobuf. The numbers are those of opentelemetry/proto/trace/v1, of which
 * only these fields are sent.
 */
export function encodeOtlpProtobuf(spans: readonly Span[], { attributes, scope }: Resource): Buffer {
  const resource = message(keyValues(1, attributes));
  const scopeBytes = message([text(1, scope.name), text(2, scope.version)]);
  const scopeSpans = message([field(1, scopeBytes), ...spans.map((span) => field(2, spanMessage(span)))]);
  return field(1, message([field(1, resource), field(2, scopeSpans)]));
}

function spanMessage(span: Span): Buffer {
  return message([
    field(1, Buffer.from(span.traceId, 'hex')),
    field(2, Buffer.from(span.spanId, 'hex')),
    ...(span.parentSpanId === undefined ? [] : [field(4, Buffer.from(span.parentSpanId, 'hex'))]),
    text(5, span.name),
    varintField(6, BigInt(SPAN_KINDS[span.kind])),
    fixed64(7, span.startNs),
    fixed64(8, span.endNs),
    ...keyValues(9, span.attributes),
    ...(span.isError ? [field(15, varintField(3, BigInt(STATUS_ERROR)))] : []),
  ]);
}

function keyValues(number: number, attributes: Span['attributes']): Buffer[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [field(number, message([text(1, key), field(2, anyValue(value))]))],
  );
}

/** AnyValue: text 1, boolean 2, whole number 3, fraction 4. */
function anyValue(value: AttributeValue): Buffer {
  if (typeof value === 'string') return text(1, value);
  if (typeof value === 'boolean') return varintField(2, value ? 1n : 0n);
  if (Number.isInteger(value)) return varintField(3, BigInt.asUintN(64, BigInt(value)));
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(4, FIXED64), bytes]);
}

function message(fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([key(number, BYTES), varint(BigInt(bytes.length)), bytes]);
}

function text(number: number, value: string): Buffer {
  return field(number, Buffer.from(value, 'utf8'));
}

function varintField(number: number, value: bigint): Buffer {
  return Buffer.concat([key(number, VARINT), varint(value)]);
}

function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([key(number, FIXED64), bytes]);
}

function key(number: number, wireType: number): Buffer {
  return varint(BigInt((number << 3) | wireType));
}

const LOW_BITS = 0x7fn;
const MORE = 0x80;

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > LOW_BITS; rest >>= 7n) bytes.push(Number(rest & LOW_BITS) | MORE);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
