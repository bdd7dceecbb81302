/** What the two endpoints for signed messages have in common: bounds, and what becomes of each outcome. */
import type { Context } from 'hono';
import { createBoundedCalls, TooManyCallsError } from '../introspection/bounded-calls.js';
import { systemScheduler } from '../jwks/ports.js';
import type { Clock, Logger } from '../ports.js';
import type { Revocation } from '../revocation/revocation.js';
import type { RevocationFactory } from '../revocation/revocation-factory.js';
import { RevocationsFullError, RevocationStoreUnavailableError } from '../revocation/revocation-store.js';
import { clientAddressOf, rateLimitKeyOf } from '../web/client-address.js';
import { createRateLimiter } from '../web/rate-limiter.js';
import {
  createSeenMessages,
  MessageRejection,
  MessageUndecidableError,
  type MessageIssuer,
  type MessageRules,
  type VerifiedMessage,
  verifyMessage,
} from './signed-message.js';

/** What an endpoint works with. */
export interface MessageEndpointOptions {
  /** By issuer identifier, of the configuration in force. */
  readonly issuers: () => ReadonlyMap<string, MessageIssuer>;
  readonly factory: RevocationFactory;
  /** @throws RevocationsFullError, RevocationStoreUnavailableError */
  readonly revoke: (revocation: Revocation) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How one endpoint differs from the other. */
export interface MessageKind {
  /** For the log. */
  readonly name: string;
  readonly rules: Omit<MessageRules, 'issuers'>;
  /** @returns what the message revokes. @throws MessageRejection */
  readonly read: (message: VerifiedMessage) => readonly Revocation[];
  /** A message that was taken before: refused, or taken again without effect. */
  readonly repeated: 'refuse' | 'accept';
  readonly accepted: (c: Context) => Response;
  readonly refused: (c: Context, rejection: MessageRejection) => Response;
}

/** Messages that fail, per address. Those that are good do not count: an issuer may end many sessions at once. */
const FAILURES = { limit: 100, windowMs: 60_000, maxKeys: 10_000 };
/** Messages that are verified at once, and that may wait for it. */
const VERIFICATIONS = { concurrency: 16, maxWaiting: 512, maxWaitMs: 5000, scheduler: systemScheduler };

/**
 * Creates the handler of an endpoint.
 *
 * @returns handles a request whose message `readText` finds; it throws a MessageRejection where there is none
 */
export function createMessageHandler(
  kind: MessageKind,
  options: MessageEndpointOptions,
): (c: Context, readMessage: () => Promise<string>) => Promise<Response> {
  const { clock, logger, revoke, issuers } = options;
  const failures = createRateLimiter({ ...FAILURES, clock });
  const bounded = createBoundedCalls(VERIFICATIONS);
  const seen = createSeenMessages(() => clock.now());

  const take = async (text: string): Promise<void> => {
    const message = await verifyMessage(text, { ...kind.rules, issuers: issuers() }, clock.now());
    const revocations = kind.read(message);
    if (!seen.add(message)) {
      if (kind.repeated === 'accept') return;
      throw new MessageRejection('invalid_request', 'it was received before');
    }
    try {
      for (const revocation of revocations) await revoke(revocation);
    } catch (error) {
      seen.forget(message);
      throw error;
    }
    logger.info({ issuer: message.issuer, revocations: revocations.length }, `${kind.name} accepted`);
  };

  return async (c, readMessage) => {
    if (issuers().size === 0) return c.json({ error: 'not_found' }, 404);
    const address = rateLimitKeyOf(clientAddressOf(c));
    const attempt = failures.take(address);
    if (!attempt.allowed)
      return c.json(
        { error: 'too_many_requests' },
        429,
        noStore({ 'retry-after': String(attempt.retryAfterS) }),
      );
    try {
      const text = await readMessage();
      await bounded(() => take(text));
      failures.refund(address);
      return kind.accepted(c);
    } catch (error) {
      if (error instanceof MessageRejection) {
        logger.warn({ fault: error.fault, reason: error.description }, `${kind.name} refused`);
        return kind.refused(c, error);
      }
      if (!isOutage(error)) throw error;
      // The sender is not to blame, and may try again.
      failures.refund(address);
      logger.error({ reason: error.message }, `${kind.name} could not be taken`);
      return c.json({ error: 'temporarily_unavailable' }, 503, noStore({ 'retry-after': '1' }));
    }
  };
}

/** Adds what every answer of these endpoints has. */
export function noStore(headers: Record<string, string> = {}): Record<string, string> {
  return { ...headers, 'cache-control': 'no-store' };
}

function isOutage(error: unknown): error is Error {
  return (
    error instanceof MessageUndecidableError ||
    error instanceof TooManyCallsError ||
    error instanceof RevocationStoreUnavailableError ||
    error instanceof RevocationsFullError
  );
}
