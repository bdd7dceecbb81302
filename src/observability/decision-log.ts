/**
 * One line per decision: who, what, why, how long. Never the credential, a query, or what looks like a token in a path.
 * Everything that a client or a token fills is bounded.
 */
import type { Mismatch } from '../authz/denial.js';
import type { CheckContext, Decision } from '../authz/types.js';
import type { Logger } from '../ports.js';
import { outcomeOf, reasonOf } from './metrics.js';
import { clip, describeId, describeIdentifier, describePath, describeText, describeValue } from './redact.js';
import { readUnverifiedClaims } from './unverified-claims.js';

/** Which decisions are logged. */
export type DecisionLogMode = 'all' | 'denied' | 'none';

/**
 * Creates the writer of decision lines. The lines go to `log.decisions` where there is one, which `log.level` does not
 * hold back: `mode` alone says which decisions are logged.
 *
 * @param mode read for each decision, because a reload may change it
 * @param traces names the trace of a decision; undefined: tracing is off
 */
export function createDecisionLog(
  log: Logger,
  mode: () => DecisionLogMode,
  traces?: { traceIdOf(ctx: CheckContext): string | undefined },
): (decision: Decision, durationMs: number) => void {
  const lines = log.decisions ?? log;
  return (decision, durationMs) => {
    const which = mode();
    if (which === 'none' || (which === 'denied' && decision.kind === 'allow')) return;
    const fields = {
      ...describeDecision(decision),
      ...(traces === undefined ? {} : { traceId: traces.traceIdOf(decision.ctx) }),
      durationMs: Math.round(durationMs * 1000) / 1000,
    };
    if (reasonOf(decision) === 'unknown_policy') lines.error(fields, 'decision');
    else lines.info(fields, 'decision');
  };
}

/** @returns the fields of a decision line: bounded, and without credentials */
export function describeDecision(decision: Decision): object {
  const { ctx } = decision;
  const { request, match } = ctx;
  return {
    decisionId: ctx.id,
    decision: outcomeOf(decision),
    reason: reasonOf(decision),
    policy: match?.policy.name,
    chosenBy: match?.source,
    requestId: describeId(request.requestId),
    method: describeText(request.method),
    host: clip(request.host),
    path: describePath(request.path),
    ...identityOf(decision),
    jkt: ctx.proof?.jkt,
    ...(decision.kind === 'deny' ? reasonsOf(decision.denial.details, ctx) : {}),
  };
}

/** The identity in a verified token. Of a token that was refused earlier its own claims, marked as unverified. */
function identityOf({ kind, ctx }: Decision): object {
  const { token, credential } = ctx;
  if (token !== undefined) {
    return {
      issuer: token.issuer,
      audience: describeValue(token.claims.aud),
      subject: describeValue(token.subject),
      clientId: describeValue(token.clientId),
    };
  }
  if (kind === 'allow' || credential === undefined) return {};
  const claims = readUnverifiedClaims(credential.token);
  if (claims === undefined) return {};
  return {
    unverified: true,
    issuer: describeValue(claims.iss, describeText),
    audience: describeValue(claims.aud, describeText),
    subject: describeValue(claims.sub, describeText),
    clientId: describeValue(claims.client_id ?? claims.azp, describeText),
  };
}

/** What was asked for and what was there. Text of a token that is not verified is treated as the client's. */
function reasonsOf({ mismatch, cause }: { mismatch?: Mismatch; cause?: unknown }, ctx: CheckContext): object {
  const describe = ctx.token === undefined ? describeText : describeIdentifier;
  return {
    requirement: mismatch?.requirement,
    expected: describeValue(mismatch?.expected),
    found: describeValue(mismatch?.found, describe),
    ...(cause instanceof Error ? { cause: cause.name } : {}),
  };
}
