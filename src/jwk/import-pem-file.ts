import { X509Certificate } from 'node:crypto';
import { importPem } from './import-key.js';
import { JwkRejection } from './jwk-rejection.js';
import type { VerificationKey } from './types.js';

/** More than a rotation needs: a token is tried against each key of its family. */
export const MAX_KEYS_PER_FILE = 16;

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----[A-Za-z0-9+/=\s]*-----END ([A-Z0-9 ]{1,40})-----/g;
const BEGIN = '-----BEGIN ';

/**
 * Reads a file of PEM blocks: public keys (SubjectPublicKeyInfo, PKCS#1) and X.509 certificates, of which only the key
 * counts: neither their dates nor who signed them are looked at. Text around the blocks is ignored. One bad block refuses
 * the whole file, and a private key does so before anything else is read.
 *
 * @param text of a file whose size is bounded, from the operator
 * @returns at least one key, without a kid, each for all algorithms of its family and curve
 * @throws JwkRejection
 * @see RFC 7468
 */
export function importPemFile(text: string): readonly VerificationKey[] {
  if (text.includes('PRIVATE KEY-----')) throw new JwkRejection('private_key');
  const blocks = [...text.matchAll(BLOCK)];
  const begun = text.split(BEGIN).length - 1;
  if (blocks.length === 0 || blocks.length !== begun || blocks.length > MAX_KEYS_PER_FILE) {
    throw new JwkRejection('unsupported_pem');
  }
  return Object.freeze(blocks.map(([block, begin, end]) => importBlock(block, begin, end)));
}

function importBlock(
  block: string,
  label: string | undefined,
  endLabel: string | undefined,
): VerificationKey {
  if (label !== endLabel) throw new JwkRejection('unsupported_pem');
  return importPem(label === 'CERTIFICATE' ? keyOfCertificate(block) : block, undefined);
}

function keyOfCertificate(pem: string): string {
  try {
    return new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'pem' }).toString();
  } catch {
    throw new JwkRejection('invalid_key');
  }
}
