/**
 * Answers as bytes, built once for what is alike. What is kept hangs on the very objects it was built from, and goes with
 * them: `authz/kept` says which objects serve more than one request.
 */
import { DECISION_ID_LENGTH } from '../../authz/decision-id.js';
import { isKept } from '../../authz/kept.js';
import type {
  Allow,
  Decision,
  Deny,
  HeaderPair,
  Metadata,
  Refusal,
  UpstreamChanges,
} from '../../authz/types.js';
import { encodeAllow, encodeDeny, type Answer } from './encode.js';

/** @returns the bytes of a CheckResponse for one decision, never empty; a new Buffer on each call */
export function createAnswerBytes(): (decision: Decision) => Buffer {
  const allows = createAllowBytes();
  const denials = createDenyBytes();
  return (decision) => (decision.kind === 'allow' ? allows(decision) : denials(decision));
}

/** An answer that was built before, and what it was built from beside its key. */
interface BuiltAllow {
  readonly upstream: UpstreamChanges;
  readonly metadata: Metadata;
  readonly answer: Answer;
}

/**
 * Answers by the list of headers they set, which is one object for a token that is kept; without headers, by their
 * metadata, which is one for a policy. Most requests bring a token that was seen before and nothing else of note.
 */
function createAllowBytes(): (allow: Allow) => Buffer {
  const kept = new WeakMap<readonly HeaderPair[] | Metadata, BuiltAllow>();
  return (allow) => {
    const { ctx, upstream, responseHeaders, metadata } = allow;
    if (responseHeaders.length > 0) return encodeAllow(allow, { keep: false }).bytes;
    const key = upstream.set.length === 0 ? metadata : upstream.set;
    const built = kept.get(key);
    if (built !== undefined && isSame(built, upstream, metadata)) return withId(built.answer, ctx.id);
    if (ctx.token !== undefined && !isKept(ctx.token)) return encodeAllow(allow, { keep: false }).bytes;
    const answer = encodeAllow(allow, { keep: true });
    kept.set(key, { upstream, metadata, answer });
    return withId(answer, ctx.id);
  };
}

/** The very same lists, by identity: a list is not changed after it was handed over. */
function isSame(built: BuiltAllow, { remove, removeQuery }: UpstreamChanges, metadata: Metadata): boolean {
  return (
    built.metadata === metadata &&
    built.upstream.remove === remove &&
    built.upstream.removeQuery === removeQuery
  );
}

/** A denial that was built before. The refusal is one for a code and a policy, and so is the metadata. */
interface BuiltDeny {
  readonly metadata: Metadata;
  readonly answer: Answer;
}

function createDenyBytes(): (deny: Deny) => Buffer {
  const kept = new WeakMap<Refusal, BuiltDeny>();
  return (deny) => {
    const { ctx, refusal, metadata } = deny;
    const built = kept.get(refusal);
    if (built?.metadata === metadata) return withId(built.answer, ctx.id);
    if (!isKept(refusal)) return encodeDeny(deny, { keep: false }).bytes;
    const answer = encodeDeny(deny, { keep: true });
    kept.set(refusal, { metadata, answer });
    return withId(answer, ctx.id);
  };
}

/** A copy for one decision: what is kept is never sent itself, because the transport may hold what it was given. */
function withId({ bytes, bodyIdEnd }: Answer, id: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(id, copy.length - DECISION_ID_LENGTH, 'latin1');
  if (bodyIdEnd !== undefined) copy.write(id, copy.length - bodyIdEnd - DECISION_ID_LENGTH, 'latin1');
  return copy;
}
