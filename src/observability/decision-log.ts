/**
 * One line a decision: who, what, why, how long. Never the credential, a claim that was not asked for, a query, or what
 * looks like a token in a path.
 */
import type { Decision } from '../authz/types.js';
import type { Logger } from '../ports.js';
import { outcomeOf, reasonOf } from './metrics.js';

/** Which decisions are logged. */
export type DecisionLogMode = 'all' | 'denied' | 'none';

/** Longest path or request id in a line, characters: a client must not fill the disk with one request. */
const MAX_TEXT = 256;

/**
 * Creates the writer of decision lines.
 *
 * @param mode read for each decision, because a reload may change it
 */
export function createDecisionLog(
  log: Logger,
  mode: () => DecisionLogMode,
): (decision: Decision, durationMs: number) => void {
  return (decision, durationMs) => {
    const which = mode();
    if (which === 'none' || (which === 'denied' && decision.kind === 'allow')) return;
    const { ctx } = decision;
    log.info(
      {
        decision: outcomeOf(decision),
        reason: reasonOf(decision),
        policy: ctx.match?.policy.name,
        chosenBy: ctx.match?.source,
        requestId: describeId(ctx.request.requestId),
        method: clip(withoutTokens(ctx.request.method)),
        host: clip(ctx.request.host),
        path: describePath(ctx.request.path),
        issuer: ctx.token?.issuer,
        jkt: ctx.proof?.jkt,
        durationMs: Math.round(durationMs * 1000) / 1000,
        ...(decision.kind === 'deny' && decision.denial.details.cause instanceof Error
          ? { cause: decision.denial.details.cause.name }
          : {}),
      },
      'decision',
    );
  };
}

/** Where a parameter begins that the path should not hold; a token may follow. */
const PARAMETERS = /[;#]|%(?:3[BbFf]|23)/;
/** Longer than a name, and as a token is written; a UUID is 36 characters. */
const LIKE_A_TOKEN = /[\w.~+=-]{32,}/g;
/** Identifiers of requests and traces: digits of base sixteen, with or without hyphens. */
const HEXADECIMAL = /^[0-9a-f-]{1,64}$/i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A path says which resource was meant. A token that someone put into it is nobody's business. */
function describePath(path: string): string | undefined {
  const end = path.search(PARAMETERS);
  const named = end < 0 ? path : `${path.slice(0, end)}…`;
  return clip(withoutTokens(named));
}

/** A client may write any request id, a token included. */
function describeId(id: string | undefined): string | undefined {
  return id === undefined || HEXADECIMAL.test(id) ? id : clip(withoutTokens(id));
}

function withoutTokens(text: string): string {
  return text.replace(LIKE_A_TOKEN, (run) => (UUID.test(run) ? run : '…'));
}

/** JSON escapes control characters, so that a line stays a line. */
function clip(text: string | undefined): string | undefined {
  return text !== undefined && text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
