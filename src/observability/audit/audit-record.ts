/** What an audit line says of a decision. Holds no credential, and no claim that audit-fields.ts does not name. */
import type { CheckContext, Decision, VerifiedToken } from '../../authz/types.js';
import { isJsonObject } from '../../ports.js';
import { outcomeOf, reasonOf } from '../metrics.js';
import {
  clip,
  describeId,
  describeIdentifier,
  describePath,
  describeText,
  describeValue,
} from '../redact.js';
import { readUnverifiedClaims } from '../unverified-claims.js';
import type { AuditRecord } from './audit-fields.js';

/** Actors that are named; a longer chain is marked. */
const MAX_ACTORS = 8;

/** Creates the function that describes decisions; it remembers which key ids it has read. */
export function createDecisionRecord(): (decision: Decision) => AuditRecord {
  const keyIdOf = createKeyIdReader();
  return (decision) => {
    const { ctx } = decision;
    const { request, match } = ctx;
    return {
      time: new Date(ctx.nowMs).toISOString(),
      type: 'decision',
      decisionId: ctx.id,
      outcome: outcomeOf(decision),
      reason: reasonOf(decision),
      ...(decision.kind === 'deny'
        ? { status: decision.refusal.status, rule: decision.denial.details.mismatch?.requirement }
        : {}),
      policy: match?.policy.name,
      chosenBy: match?.source,
      route: match?.route === undefined ? undefined : `routes[${match.route}]`,
      method: describeText(request.method),
      host: clip(request.host),
      path: describePath(request.path),
      requestId: describeId(request.requestId),
      ...(ctx.token === undefined ? presentedIdentity(ctx) : verifiedIdentity(ctx, ctx.token, keyIdOf)),
      jkt: ctx.proof?.jkt,
    };
  };
}

function verifiedIdentity(
  { credential }: CheckContext,
  token: VerifiedToken,
  keyIdOf: (token: string) => string | undefined,
): AuditRecord {
  const { claims, issuer, subject, clientId, confirmation } = token;
  return {
    verified: true,
    issuer,
    subject: describeValue(subject),
    clientId: describeValue(clientId),
    actors: actorsOf(claims.act),
    tokenId: textOf(claims.jti, describeIdentifier),
    keyId: credential === undefined ? undefined : keyIdOf(credential.token),
    certificate: confirmation?.x5tS256,
  };
}

/** Of a token that was not verified its own words, marked as such. */
function presentedIdentity({ credential }: CheckContext): AuditRecord {
  if (credential === undefined) return {};
  const claims = readUnverifiedClaims(credential.token);
  return {
    verified: false,
    issuer: textOf(claims?.iss, describeText),
    subject: textOf(claims?.sub, describeText),
    clientId: textOf(claims?.client_id ?? claims?.azp, describeText),
    tokenId: textOf(claims?.jti, describeText),
  };
}

/** @returns undefined where nobody acts for the subject (RFC 8693 4.1) */
function actorsOf(act: unknown): readonly unknown[] | undefined {
  const actors: unknown[] = [];
  for (let one = act; isJsonObject(one); one = one.act) {
    if (actors.length === MAX_ACTORS) return [...actors, '…'];
    actors.push({
      issuer: textOf(one.iss, describeIdentifier),
      subject: textOf(one.sub, describeIdentifier),
      clientId: textOf(one.client_id, describeIdentifier),
    });
  }
  return actors.length === 0 ? undefined : actors;
}

/** Of `jti` and the like; anything that is not a text is not shown. */
function textOf(value: unknown, describe: (text: string) => string): string | undefined {
  return typeof value === 'string' ? describe(value) : undefined;
}

/** Headers are few, since a key makes them all alike. */
const MAX_HEADERS = 200;
const MAX_HEADER_CHARS = 2048;

/** Reads `kid` of a JWT that was verified, so its header is what the key's owner signed. */
function createKeyIdReader(): (token: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (token) => {
    const end = token.indexOf('.');
    if (end < 0 || end > MAX_HEADER_CHARS) return undefined;
    const header = token.slice(0, end);
    if (known.has(header)) return known.get(header);
    const keyId = readKeyId(header);
    if (known.size >= MAX_HEADERS) known.clear();
    known.set(header, keyId);
    return keyId;
  };
}

function readKeyId(header: string): string | undefined {
  try {
    const read: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
    return isJsonObject(read) ? textOf(read.kid, describeIdentifier) : undefined;
  } catch {
    return undefined;
  }
}
