/** A finished span, as an exporter needs it. Plain data without credentials. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: 'server' | 'client';
  /** Nanoseconds since the epoch. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, AttributeValue | undefined>>;
  /** The operation failed through a fault of ours or of a dependency; a denial is no failure. */
  readonly isError: boolean;
}

/** A value of an attribute. Whole numbers are sent as such. */
export type AttributeValue = string | number | boolean;

/** Numbers of the enumerations of OTLP. */
export const SPAN_KINDS = { server: 2, client: 3 } as const;
/** The status code of a span that failed. */
export const STATUS_ERROR = 2;
