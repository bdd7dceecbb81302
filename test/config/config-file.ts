import { generateKeyPairSync } from 'node:crypto';
import { stringify } from 'yaml';
import { parseConfig, type LoadedConfig } from '../../src/config/load.js';
import { ConfigError, formatProblem, type Problem } from '../../src/config/problems.js';

/** A configuration as plain data, to be changed by a test. */
export type Draft = Record<string, unknown>;

/** The smallest issuer. */
export const ISSUER = { issuer: 'https://a.example', audiences: ['https://api.example.com'] };

/** A file system of a test: absolute path → content. */
export type Files = Record<string, string | Uint8Array>;

/** What a test lends to the loader. */
export interface Surroundings {
  readonly env?: Record<string, string>;
  readonly files?: Files;
}

/** Reads a draft as if it stood in /etc/gate/portcullis.yaml. */
export function read(draft: Draft | string, { env = {}, files = {} }: Surroundings = {}): LoadedConfig {
  const text = typeof draft === 'string' ? draft : stringify({ issuers: [ISSUER], ...draft });
  return parseConfig(text, {
    file: '/etc/gate/portcullis.yaml',
    env,
    readFile: (path) => readFrom(files, path),
  });
}

function readFrom(files: Files, path: string): Uint8Array {
  const content = Object.hasOwn(files, path) ? files[path] : undefined;
  if (content === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
  return typeof content === 'string' ? Buffer.from(content) : content;
}

/** A problem as it is written, without its line and column. */
export function withoutPosition({ path, text }: Problem): string {
  return formatProblem({ path, text });
}

/** The lines of a refusal without their positions; empty where the draft is accepted. */
export function problemsOf(draft: Draft | string, surroundings?: Surroundings): string[] {
  try {
    read(draft, surroundings);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(withoutPosition);
    throw error;
  }
}

/** A fresh key pair as PEM. */
export function pemPair(kind: 'ec' | 'rsa' | 'rsa-weak' | 'ed25519'): {
  publicPem: string;
  privatePem: string;
} {
  const { publicKey, privateKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : kind === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: kind === 'rsa' ? 2048 : 1024 });
  return {
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
