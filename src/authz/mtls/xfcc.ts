/** Beyond it a field is not read. Envoy's limit for all headers together is about 60 KiB. */
const MAX_FIELD_LENGTH = 65_536;

/** One `key=value` at the present place, the value quoted or bare, and what ends it. */
const PAIR = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))(,|;|$)/y;

/**
 * Reads the client's certificate from an X-Forwarded-Client-Cert field: `Cert` of its last element, or, where that
 * element has none, `Chain`, which begins with the same certificate. The last element is what the proxy nearest to us
 * appended; earlier ones may come from anybody. The whole field has to be well-formed: an unclosed quote in front would
 * otherwise swallow what the proxy appended.
 *
 * @param field untrusted but for its last element
 * @returns URL-encoded PEM, not decoded yet; undefined: the last element has no certificate, or the field is malformed
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 */
export function parseXfccCertificate(field: string): string | undefined {
  if (field.length > MAX_FIELD_LENGTH) return undefined;
  const element = lastElement(field);
  return element?.get('cert') ?? element?.get('chain');
}

/** @returns the pairs of the last element, or undefined where the field is malformed anywhere */
function lastElement(field: string): ReadonlyMap<string, string> | undefined {
  let pairs = new Map<string, string>();
  let at = 0;
  let end: string | undefined;
  while (end !== '') {
    // Blanks after a comma come from proxies that join fields.
    while (end === ',' && field[at] === ' ') at++;
    PAIR.lastIndex = at;
    const [text, key, quoted, bare, delimiter] = PAIR.exec(field) ?? [];
    if (text === undefined || key === undefined) return undefined;
    if (end === ',') pairs = new Map();
    if (!addPair(pairs, key.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '')) return undefined;
    at += text.length;
    end = delimiter;
  }
  return pairs;
}

/** Only names of which a certificate may have several can repeat. Any other name twice is ambiguous. */
const REPEATABLE: ReadonlySet<string> = new Set(['uri', 'dns']);

function addPair(pairs: Map<string, string>, key: string, value: string): boolean {
  if (pairs.has(key) && !REPEATABLE.has(key)) return false;
  pairs.set(key, value);
  return true;
}
