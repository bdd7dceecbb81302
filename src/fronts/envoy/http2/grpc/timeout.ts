const UNITS_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/**
 * `grpc-timeout`: up to eight digits and a unit.
 *
 * @returns milliseconds; undefined: it is not a time
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md Requests
 */
export function parseTimeout(text: string): number | undefined {
  if (!/^\d{1,8}[HMSmun]$/.test(text)) return undefined;
  return Number(text.slice(0, -1)) * (UNITS_MS[text.slice(-1)] as number);
}
