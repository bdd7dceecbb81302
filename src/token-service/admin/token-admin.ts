import type { z } from 'zod';
import type { Clock } from '../../ports.js';
import { BOOTSTRAP_ID } from '../authenticator.js';
import type { IssuedRevocations } from '../own-tokens.js';
import { createPersonalAccessToken, formatPersonalAccessToken } from '../personal-access-token.js';
import type { SecretHasher } from '../secret-hasher.js';
import type { TokenPatch, TokenRecord, TokenStore } from '../store.js';
import { AdminError } from './admin-error.js';
import type { issueBody, registerBody, revokeBody, updateBody } from './schemas.js';

/** What the changes are made with. */
export interface TokenAdminOptions {
  readonly store: TokenStore;
  readonly hasher: SecretHasher;
  readonly revocations: IssuedRevocations;
  /** `tokens.prefix` */
  readonly prefix: string;
  /** `tokens.ttl`, milliseconds: tokens that were issued live no longer. */
  readonly ttlMs: number;
  /** Is this the name of a client of `tokens.clients` or `tokens.trust`? */
  readonly isClient: (name: string) => boolean;
  readonly clock: Clock;
}

/** Changes of personal access tokens, as an administrator asks for them. Who asks is not looked at. */
export class TokenAdmin {
  constructor(private readonly options: TokenAdminOptions) {}

  /** Issues a token. @returns its text, for the only time, and its record */
  async issue(body: z.output<typeof issueBody>): Promise<{ token: string; record: TokenRecord }> {
    const { store, hasher, prefix } = this.options;
    this.#assertFree(body.tokenId);
    // A token that nobody can ever use is a mistake.
    if (body.expiresAt !== undefined && body.expiresAt <= this.#nowS())
      throw new AdminError('invalid_request', 'expiresAt: must be in the future, in seconds since the epoch');
    const token = createPersonalAccessToken(body.tokenId);
    const secretPhc = await hasher.hash(token.secret);
    const record = this.#recordOf({ ...body, tokenId: token.tokenId, secretPhc });
    if (!(await store.insert(record))) throw taken();
    return { token: formatPersonalAccessToken(prefix, token), record };
  }

  /** Registers a token that was made elsewhere. @returns whether it is new; false: the very same is there already */
  async register(
    tokenId: string,
    body: z.output<typeof registerBody>,
  ): Promise<{ isNew: boolean; record: TokenRecord }> {
    const { store } = this.options;
    this.#assertFree(tokenId);
    const record = this.#recordOf({ ...body, tokenId });
    if (await store.insert(record)) return { isNew: true, record };
    const known = await store.get(tokenId);
    if (known === undefined || !isSame(known, record)) throw taken();
    return { isNew: false, record: known };
  }

  /** @throws AdminError not_found */
  async update(tokenId: string, body: z.output<typeof updateBody>): Promise<void> {
    assertChangeable(tokenId);
    const updated = await this.options.store.update(tokenId, body as TokenPatch);
    if (updated === undefined) throw notFound();
    const nowS = this.#nowS();
    // Issued tokens say what was true before. Where that opens more than it should now, they end.
    const endsSooner =
      typeof body.expiresAt === 'number' && body.expiresAt < nowS + this.options.ttlMs / 1000;
    if (endsSooner || body.secretPhc !== undefined)
      await this.options.revocations.revokeClient(tokenId, nowS);
  }

  /** Revokes; again: a success. @throws AdminError not_found */
  async revoke(tokenId: string, { expiresAt }: z.output<typeof revokeBody>): Promise<void> {
    assertChangeable(tokenId);
    const nowS = this.#nowS();
    const forgetAt = expiresAt === undefined ? {} : { forgetAt: expiresAt };
    const revoked = await this.options.store.revoke(tokenId, { revokedAt: nowS, ...forgetAt });
    if (revoked === undefined) throw notFound();
    await this.options.revocations.revokeClient(tokenId, nowS);
  }

  /** Takes a revocation back. Tokens that were issued before it stay refused. @throws AdminError not_found */
  async restore(tokenId: string): Promise<void> {
    assertChangeable(tokenId);
    if ((await this.options.store.restore(tokenId)) === undefined) throw notFound();
  }

  #recordOf(
    body: Omit<z.output<typeof issueBody>, 'tokenId'> & {
      readonly tokenId: string;
      readonly secretPhc: string;
    },
  ): TokenRecord {
    const { expiresAt, description } = body;
    return {
      tokenId: body.tokenId,
      owner: body.owner,
      isAdmin: body.isAdmin ?? false,
      roles: body.roles ?? [],
      scopes: body.scopes ?? [],
      createdAt: this.#nowS(),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(description === undefined ? {} : { description }),
      secretPhc: body.secretPhc,
    };
  }

  #assertFree(tokenId: string | undefined): void {
    if (tokenId === BOOTSTRAP_ID) throw taken();
    if (tokenId !== undefined && this.options.isClient(tokenId))
      throw new AdminError('conflict', 'a client has this name');
  }

  #nowS(): number {
    return Math.floor(this.options.clock.now() / 1000);
  }
}

function taken(): AdminError {
  return new AdminError('conflict', 'a token with this id is there already');
}

function notFound(): AdminError {
  return new AdminError('not_found', 'there is no such token');
}

function assertChangeable(tokenId: string): void {
  if (tokenId === BOOTSTRAP_ID)
    throw new AdminError('conflict', 'the bootstrap token is changed in the configuration alone');
}

/** What an administrator gave; not when, and not how the token was used since. */
function isSame(known: TokenRecord, given: TokenRecord): boolean {
  const said = ({ owner, isAdmin, roles, scopes, expiresAt, description, secretPhc }: TokenRecord): string =>
    JSON.stringify([
      owner,
      isAdmin,
      [...roles].sort(),
      [...scopes].sort(),
      expiresAt ?? null,
      description ?? null,
      secretPhc,
    ]);
  return said(known) === said(given);
}
