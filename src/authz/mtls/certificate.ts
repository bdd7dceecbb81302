import { hash, X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AuthzRequest } from '../types.js';
import { parseXfccCertificate } from './xfcc.js';

/**
 * Where the client's certificate is read from: `envoy` is the TLS session that Envoy itself terminated, `xfcc` the header
 * of a proxy in front of it, which is trusted to be the last to write it.
 */
export type CertificateSource = 'envoy' | 'xfcc';

/** What a client showed in its TLS handshake. */
type ShownCertificate =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'certificate'; /** As in `cnf.x5t#S256`. */ readonly x5tS256: string };

/** Reads the certificate of a request's client. */
export type ReadCertificate = (
  request: Pick<AuthzRequest, 'peerCertificate' | 'headers'>,
) => ShownCertificate;

/** Characters; a certificate is two to four thousand of them, and Envoy's header limit is about 60,000 in all. */
const MAX_ENCODED_LENGTH = 32_768;
/** The first certificate of a chain is the client's own (RFC 8446 4.4.2). */
const FIRST_CERTIFICATE = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const NONE: ShownCertificate = { kind: 'none' };
const UNREADABLE: ShownCertificate = { kind: 'unreadable' };

/**
 * Creates the reader of client certificates. It takes the one source that is configured and never falls back to the
 * other: a header is under the client's control wherever no proxy is known to replace it. Validity, issuer and revocation are
 * checked by whoever terminated the TLS session, not here.
 *
 * @param source `mtls.certificate`
 * @param options.maxEntries of the cache of thumbprints; the least recently used leaves
 * @see RFC 8705 sections 3 and 6.1
 */
export function createCertificateReader(
  source: CertificateSource,
  options: { readonly maxEntries?: number } = {},
): ReadCertificate {
  const known = new LRUCache<string, ShownCertificate>({ max: options.maxEntries ?? 1000 });
  const read = (encodedPem: string): ShownCertificate => {
    if (encodedPem.length > MAX_ENCODED_LENGTH) return UNREADABLE;
    const key = hash('sha256', encodedPem, 'base64url');
    let shown = known.get(key);
    if (shown === undefined) known.set(key, (shown = readEncodedPem(encodedPem)));
    return shown;
  };
  return source === 'envoy'
    ? ({ peerCertificate }) => (isBlank(peerCertificate) ? NONE : read(peerCertificate))
    : ({ headers }) => readXfcc(headers.all('x-forwarded-client-cert'), read);
}

function isBlank(text: string | undefined): text is undefined | '' {
  return text === undefined || text === '';
}

/** Of several fields the last one was written last, as of several elements. */
function readXfcc(
  fields: readonly string[],
  read: (encodedPem: string) => ShownCertificate,
): ShownCertificate {
  const certificate = parseXfccCertificate(fields.at(-1) ?? '');
  return isBlank(certificate) ? NONE : read(certificate);
}

function readEncodedPem(encodedPem: string): ShownCertificate {
  const x5tS256 = certificateThumbprint(encodedPem);
  return x5tS256 === undefined ? UNREADABLE : { kind: 'certificate', x5tS256 };
}

/**
 * Computes the thumbprint of the first certificate in a URL-encoded PEM text: SHA-256 of its DER bytes.
 *
 * @param encodedPem as Envoy writes it, bounded by the caller
 * @returns base64url without padding, or undefined where there is no well-formed certificate
 * @see RFC 8705 section 3.1
 */
export function certificateThumbprint(encodedPem: string): string | undefined {
  try {
    const [, body = ''] = FIRST_CERTIFICATE.exec(decodeURIComponent(encodedPem)) ?? [];
    const base64 = body.replace(/\s+/g, '');
    if (!BASE64.test(base64)) return undefined;
    const der = Buffer.from(base64, 'base64');
    // Bytes after the certificate would change the hash and nothing else.
    return new X509Certificate(der).raw.equals(der) ? hash('sha256', der, 'base64url') : undefined;
  } catch {
    return undefined;
  }
}
