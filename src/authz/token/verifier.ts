import { parseStrictJsonText } from '../../jws/strict-json.js';
import type { Clock, JsonObject } from '../../ports.js';
import { Denial, type DenialCode } from '../denial.js';
import type { GateMetrics, VerifiedToken } from '../types.js';
import { assertClaims, assertTimes, isExpired } from './claims.js';
import { markKept } from '../kept.js';
import type { Proved, Refused, TokenEpoch, TokenKind } from './kind.js';
import type { KnownToken, TokenCache } from './token-cache.js';
import { hashToken } from './token-hash.js';
import type { ClaimRules, TokenVerifier } from './types.js';

/** What a verifier is made of; all of it of one configuration, but the cache, which outlives it. */
export interface TokenVerifierOptions {
  /** The first one that accepts a token verifies it. */
  readonly kinds: readonly TokenKind[];
  /** undefined: every token is verified every time. */
  readonly cache: TokenCache | undefined;
  readonly metrics: Pick<GateMetrics, 'tokenCache'>;
  /** Read again where something had to be waited for. */
  readonly clock: Clock;
}

/** Refusals of claims that stay the same as long as the rules do, and for which the proof was paid. */
const LASTING: ReadonlySet<DenialCode> = new Set<DenialCode>([
  'invalid_claims',
  'invalid_audience',
  'invalid_token_type',
  'unsupported_confirmation',
]);

const MALFORMED = new Denial('malformed_token');

/** Makes a verifier of one configuration's kinds of tokens. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  return new CachingTokenVerifier(options);
}

/** One token at one kind. */
interface Attempt {
  readonly kind: TokenKind;
  readonly token: string;
  readonly hash: string;
  readonly issuer: string;
  /** Under which it is remembered. */
  readonly key: string;
}

class CachingTokenVerifier implements TokenVerifier {
  readonly #inFlight = new Map<string, Promise<VerifiedToken>>();

  constructor(private readonly options: TokenVerifierOptions) {}

  verify(
    token: string,
    nowMs: number,
    issuers?: ReadonlySet<string>,
  ): VerifiedToken | Promise<VerifiedToken> {
    for (const kind of this.options.kinds) {
      const issuer = kind.accepts(token, issuers);
      if (issuer === undefined) continue;
      const hash = hashToken(token);
      const key = issuer === '' ? hash : `${hash} ${issuer}`;
      const attempt = { kind, token, hash, issuer, key };
      return this.#recall(attempt, nowMs) ?? this.#inFlight.get(key) ?? this.#verifyAfresh(attempt, nowMs);
    }
    throw MALFORMED;
  }

  /** What the cache knows of a token that still counts in its present epoch and by the clock. */
  #recall(attempt: Attempt, nowMs: number): VerifiedToken | undefined {
    const { cache, metrics } = this.options;
    if (cache === undefined) return undefined;
    const { kind, key } = attempt;
    const known = cache.known(key);
    if (known !== undefined) return this.#judgeKnown(known, attempt, { cache, nowMs });
    const refused = cache.refused(key, nowMs);
    if (refused !== undefined && freshness(kind, refused.epoch, nowMs) === 'current') {
      metrics.tokenCache('negative_hit');
      throw new Denial(refused.code);
    }
    metrics.tokenCache('miss');
    return undefined;
  }

  #judgeKnown(
    known: KnownToken,
    { kind, hash }: Attempt,
    { cache, nowMs }: { cache: TokenCache; nowMs: number },
  ): VerifiedToken | undefined {
    const { metrics } = this.options;
    const fresh = nowMs < known.keepUntilMs ? freshness(kind, known.epoch, nowMs) : 'stale';
    if (fresh !== 'current') {
      if (fresh === 'stale') cache.forget(known.key);
      metrics.tokenCache('stale');
      return undefined;
    }
    const rules = kind.rulesOf(known.epoch);
    const token = known.token ?? readAgain(known, { hash, rules, cache });
    if (isExpired(token.expiresAtS, nowMs, rules.clockToleranceMs)) cache.forget(known.key);
    metrics.tokenCache('hit');
    assertTimes(token, nowMs, rules);
    return token;
  }

  /** Whoever comes with the same token meanwhile waits for the same answer. */
  #verifyAfresh(attempt: Attempt, nowMs: number): VerifiedToken | Promise<VerifiedToken> {
    const verdict = attempt.kind.verify(attempt, nowMs);
    const verified =
      verdict instanceof Promise
        ? verdict.then((proved) => this.#conclude(attempt, proved, this.options.clock.now()))
        : this.#conclude(attempt, verdict, nowMs);
    if (!(verified instanceof Promise)) return verified;
    const flight = verified.finally(() => this.#inFlight.delete(attempt.key));
    this.#inFlight.set(attempt.key, flight);
    return flight;
  }

  #conclude(
    attempt: Attempt,
    verdict: Proved | Refused,
    nowMs: number,
  ): VerifiedToken | Promise<VerifiedToken> {
    const { cache } = this.options;
    if ('refused' in verdict) {
      const { refused: code, epoch, keepUntilMs } = verdict;
      cache?.rememberRefused(attempt.key, { code, epoch, keepUntilMs }, nowMs);
      throw new Denial(verdict.refused);
    }
    const token = this.#judge(attempt, verdict, nowMs);
    if (verdict.confirm !== undefined) {
      return verdict
        .confirm(nowMs)
        .then((confirmed) => this.#conclude(attempt, confirmed, this.options.clock.now()));
    }
    const { text, epoch, keepUntilMs = Infinity } = verdict;
    if (nowMs < keepUntilMs) cache?.remember(attempt.key, text, { epoch, keepUntilMs });
    return token;
  }

  #judge({ kind, key, hash }: Attempt, { claims, epoch }: Proved, nowMs: number): VerifiedToken {
    const rules = kind.rulesOf(epoch);
    try {
      const token = createToken(claims, { hash, epoch, rules });
      assertTimes(token, nowMs, rules);
      return token;
    } catch (error) {
      if (error instanceof Denial && LASTING.has(error.code)) {
        this.options.cache?.rememberRefused(key, { code: error.code, epoch }, nowMs);
      }
      throw error;
    }
  }
}

function freshness(kind: TokenKind, epoch: TokenEpoch, nowMs: number): 'current' | 'unsure' | 'stale' {
  return epoch.kind === kind.name ? kind.freshness(epoch, nowMs) : 'stale';
}

/** A token that came again, made once more of what was proved, under the same rules. */
function readAgain(
  known: KnownToken,
  { hash, rules, cache }: { hash: string; rules: ClaimRules; cache: TokenCache },
): VerifiedToken {
  const { epoch, text } = known;
  const token = createToken(parseStrictJsonText(text), { hash, epoch, rules });
  markKept(token);
  cache.keepRead(known, token);
  return token;
}

function createToken(
  claims: JsonObject,
  { hash, epoch, rules }: { hash: string; epoch: TokenEpoch; rules: ClaimRules },
): VerifiedToken {
  return { issuer: epoch.issuer, hash, claims, ...assertClaims(claims, rules) };
}
