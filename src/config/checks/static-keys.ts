import { importPem, importSecret } from '../../jwk/import-key.js';
import { JwkRejection, type JwkRejectionCode } from '../../jwk/jwk-rejection.js';
import { type AsymmetricAlgorithm, SYMMETRIC_ALGORITHMS, type SymmetricAlgorithm } from '../../jwk/types.js';
import { readPem } from '../key-material.js';
import type { ConfigValue } from '../config-value.js';
import { type CheckContext, refuse } from './context.js';

const REJECTIONS: Partial<Record<JwkRejectionCode, string>> = {
  private_key: 'must be a public key; a private one has no place here',
  unsupported_pem: 'must be one PEM public key (BEGIN PUBLIC KEY or BEGIN RSA PUBLIC KEY), not a certificate',
  algorithm_mismatch: 'must be a key that fits its alg',
  weak_key:
    'must be a strong key: RSA of 2048 to 8192 bits with a sound exponent, not of the ROCA kind (CVE-2017-15361)',
  weak_secret: 'must be at least as long as the hash: 32 bytes for HS256, 48 for HS384, 64 for HS512',
};

/** One entry of an issuer's `keys`: exactly one of pem, file and secret, and one that can be used. */
export function checkStaticKey(ctx: CheckContext, key: ConfigValue): void {
  const given = (['pem', 'file', 'secret'] as const)
    .map((name) => key.get(name))
    .filter((node) => node.exists);
  const [source] = given;
  if (given.length !== 1 || source === undefined) {
    refuse(ctx, key, 'must have exactly one of pem, file and secret');
    return;
  }
  if (source.path.at(-1) === 'secret') checkSecret(ctx, key, source);
  else checkPublicKey(ctx, key, source);
}

function checkSecret(ctx: CheckContext, key: ConfigValue, secret: ConfigValue): void {
  const alg = key.get('alg');
  if (!isSymmetric(alg.text)) {
    refuse(ctx, alg, 'must be HS256, HS384 or HS512 beside a secret');
    return;
  }
  const [text, name] = [secret.text, alg.text];
  if (text !== undefined) attempt(ctx, secret, () => importSecret(text, name));
}

function checkPublicKey(ctx: CheckContext, key: ConfigValue, source: ConfigValue): void {
  const alg = key.get('alg');
  if (isSymmetric(alg.text)) {
    refuse(
      ctx,
      alg,
      'must be an asymmetric algorithm beside a public key; HS256, HS384 and HS512 need a secret',
    );
    return;
  }
  if (source.text === undefined) return;
  const pem = source.path.at(-1) === 'pem' ? { value: source.text } : readPem(source.text, ctx.files);
  const name = alg.text as AsymmetricAlgorithm | undefined;
  if ('problem' in pem) refuse(ctx, source, pem.problem);
  else attempt(ctx, source, () => importPem(pem.value, name));
}

function isSymmetric(alg: string | undefined): alg is SymmetricAlgorithm {
  return SYMMETRIC_ALGORITHMS.some((one) => one === alg);
}

function attempt(ctx: CheckContext, node: ConfigValue, importKey: () => unknown): void {
  try {
    importKey();
  } catch (error) {
    if (!(error instanceof JwkRejection)) throw error;
    refuse(
      ctx,
      node,
      REJECTIONS[error.code] ?? 'must be a key of a supported kind: RSA, EC (P-256, P-384, P-521) or Ed25519',
    );
  }
}
