import { readJson, splitCompactJws } from '../../src/jws/compact.js';

/** A compact JWS read whole, as the readers of tokens and proofs do it part by part. */
export function parseCompactJws(text: string, { maxBytes }: { readonly maxBytes: number }) {
  const { header, payload, signingInput, signature } = splitCompactJws(text, maxBytes);
  return { header: readJson(header), payload: readJson(payload), signingInput, signature };
}
