import { createClientIssuerKeys } from '../jwks/client-issuer-keys.js';
import { createClientKeyDirectories } from '../jwks/client-key-directories.js';
import type { IssuerKeys } from '../jwks/types.js';

/** The issuers whose tokens are signed by their clients. */
export interface ClientIssuers {
  /** The same object while the entry stays the same, so that a reload forgets no token. */
  keysOf(issuer: string, clientKeys: { readonly claim: string; readonly dir: string }): IssuerKeys;
  /** Closes the folders of all but these. */
  retain(inUse: readonly IssuerKeys[]): void;
  close(): void;
}

/** Creates them. A folder is watched from the first issuer that names it on. */
export function createClientIssuers(parts: Parameters<typeof createClientKeyDirectories>[0]): ClientIssuers {
  const directories = createClientKeyDirectories(parts);
  const issuers = new Map<string, { readonly keys: IssuerKeys; readonly dir: string }>();
  return {
    keysOf(issuer, { claim, dir }) {
      const id = JSON.stringify([issuer, claim, dir]);
      const known = issuers.get(id);
      if (known !== undefined) return known.keys;
      const keys = createClientIssuerKeys(issuer, claim, directories.open(dir));
      issuers.set(id, { keys, dir });
      return keys;
    },
    retain(inUse) {
      for (const [id, { keys }] of issuers) if (!inUse.includes(keys)) issuers.delete(id);
      directories.retain([...issuers.values()].map(({ dir }) => dir));
    },
    close: () => directories.close(),
  };
}
