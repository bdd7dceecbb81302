/**
 * Decision → CheckResponse bytes. The only builder of answers: an unset status is 0, and 0 allows, so nothing else
 * may write one. A denial always carries a non-zero code and a denied_response (or error_response), an allow always a
 * full ok_response; `append` is never written.
 *
 * @see docs/architecture.md the one invariant
 */
import { DECISION_ID_LENGTH } from '../../authz/decision-id.js';
import { bodyText } from '../../authz/refusal.js';
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
import { encodeOnce, MessageWriter } from './wire/writer.js';

/** What the operator chose for all answers. */
export interface ResponseOptions {
  /** `error`: an outage is an error_response, and Envoy's failure mode decides (Envoy 1.37 and later). */
  readonly failure: 'deny' | 'error';
}

/** Builds answers. */
export interface ResponseBuilder {
  /** @returns the bytes of a CheckResponse, never empty */
  build(decision: Decision): Buffer;
}

/** google.rpc codes that Envoy takes as a denial, and that mean what they say. */
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

/** HeaderAppendAction. */
const APPEND_IF_EXISTS_OR_ADD = 0;
const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** Status {code: 0}, written out: an empty Status is as good for Envoy, but this says that it is meant. */
const STATUS_OK = encodeStatus(0);
const STATUS_DENIED = encodeStatus(PERMISSION_DENIED);
const STATUS_UNAUTHENTICATED = encodeStatus(UNAUTHENTICATED);

function encodeStatus(code: number): Buffer {
  return encodeOnce((w) => {
    const mark = w.mark();
    w.uint32(1, code);
    w.endMessage(1, mark);
  });
}

/** Answers are built in one turn each, so one writer serves them all. */
const writer = new MessageWriter();

function encode(write: (w: MessageWriter) => void, { keep } = { keep: false }): Buffer {
  // A build that threw half way must not leave its half to the next.
  writer.reset();
  write(writer);
  return keep ? writer.finishToKeep() : writer.finish();
}

/** @param options the operator's choices; validated configuration */
export function createResponseBuilder(options: ResponseOptions): ResponseBuilder {
  const denials = new DenialAnswers(options);
  return {
    build: (decision) => (decision.kind === 'allow' ? encodeAllow(decision) : denials.of(decision)),
  };
}

// ---- allow -----------------------------------------------------------------------------------------------------------

/** An answer that was built before, and what it was built from. */
interface BuiltAllow {
  readonly upstream: UpstreamChanges;
  readonly metadata: Metadata;
  readonly answer: Answer;
}

/**
 * Answers by the list of headers they set, which is one object for a token that is kept; without headers, by their
 * metadata, which is one for a policy. Most requests bring a token that was seen before and nothing else of note, and get
 * the very bytes of the last time.
 */
const builtAllows = new WeakMap<readonly HeaderPair[] | Metadata, BuiltAllow>();

function encodeAllow(allow: Allow): Buffer {
  const { ctx, upstream, responseHeaders, metadata } = allow;
  if (responseHeaders.length > 0) return buildAllow(allow, { keep: false });
  const key = upstream.set.length === 0 ? metadata : upstream.set;
  const built = builtAllows.get(key);
  if (built !== undefined && isSame(built, upstream, metadata)) return withId(built.answer, ctx.id);
  if (ctx.token !== undefined && !isKept(ctx.token)) return buildAllow(allow, { keep: false });
  const answer = { bytes: buildAllow(allow, { keep: true }), bodyIdEnd: undefined };
  builtAllows.set(key, { upstream, metadata, answer });
  return withId(answer, ctx.id);
}

/** The very same lists, by identity: nobody writes to one that was handed over. */
function isSame(built: BuiltAllow, { remove, removeQuery }: UpstreamChanges, metadata: Metadata): boolean {
  return (
    built.metadata === metadata &&
    built.upstream.remove === remove &&
    built.upstream.removeQuery === removeQuery
  );
}

function buildAllow(
  { ctx, upstream, responseHeaders, metadata }: Allow,
  { keep }: { keep: boolean },
): Buffer {
  const { set, remove, removeQuery } = upstream;
  return encode(
    (w) => {
      writeMetadata(w, metadata, ctx.id);
      const mark = w.mark();
      w.encoded(removalsOf(8, removeQuery));
      for (const pair of backwards(responseHeaders)) writeHeader(w, 6, pair, actionOf(pair));
      w.encoded(removalsOf(5, remove));
      for (const pair of backwards(set)) writeHeader(w, 2, pair, OVERWRITE_IF_EXISTS_OR_ADD);
      w.endMessage(3, mark);
      w.encoded(STATUS_OK);
    },
    { keep },
  );
}

/** Lists of names are shared between answers, and so are their bytes. */
const removals = new WeakMap<readonly string[], Buffer>();

function removalsOf(field: number, names: readonly string[]): Buffer {
  let bytes = removals.get(names);
  if (bytes === undefined) {
    bytes = encodeOnce((w) => {
      for (const name of backwards(names)) w.text(field, name);
    });
    removals.set(names, bytes);
  }
  return bytes;
}

function* backwards<T>(list: readonly T[]): Generator<T> {
  for (let index = list.length - 1; index >= 0; index--) yield list[index] as T;
}

/** The upstream may expose headers of its own to scripts; ours is one more. */
function actionOf([name]: HeaderPair): number {
  return name === 'access-control-expose-headers' ? APPEND_IF_EXISTS_OR_ADD : OVERWRITE_IF_EXISTS_OR_ADD;
}

function writeHeader(w: MessageWriter, field: number, [name, value]: HeaderPair, action: number): void {
  const option = w.mark();
  w.uint32(3, action);
  const header = w.mark();
  w.text(2, value);
  w.text(1, name);
  w.endMessage(1, header);
  w.endMessage(field, option);
}

// ---- deny ------------------------------------------------------------------------------------------------------------

/** A denial that was built before. The refusal names its code and policy, and so does the metadata. */
interface BuiltDeny {
  readonly metadata: Metadata;
  readonly answer: Answer;
}

/** Answers by their refusal, where that is kept. */
class DenialAnswers {
  private readonly built = new WeakMap<Refusal, BuiltDeny>();

  constructor(private readonly options: ResponseOptions) {}

  of(deny: Deny): Buffer {
    const { refusal, metadata } = deny;
    const built = this.built.get(refusal);
    if (built?.metadata === metadata) return withId(built.answer, deny.ctx.id);
    const keep = isKept(refusal);
    const answer = buildDeny(deny, { keep, isError: this.options.failure === 'error' && refusal.isOutage });
    if (!keep) return answer.bytes;
    this.built.set(refusal, { metadata, answer });
    return withId(answer, deny.ctx.id);
  }
}

/** Status and denied_response, or error_response. */
function buildDeny(
  { ctx, refusal, metadata }: Deny,
  { keep, isError }: { keep: boolean; isError: boolean },
): Answer {
  const { status, headers, body } = refusal;
  let bodyIdEnd: number | undefined;
  const bytes = encode(
    (w) => {
      writeMetadata(w, metadata, ctx.id);
      const denied = w.mark();
      if (body?.after !== undefined) bodyIdEnd = w.mark() + Buffer.byteLength(body.after);
      if (body !== undefined) w.text(3, bodyText(body, ctx.id));
      // Several values of one name must all arrive: action 0 adds.
      for (const pair of backwards(headers)) writeHeader(w, 2, pair, APPEND_IF_EXISTS_OR_ADD);
      const code = w.mark();
      w.uint32(1, status);
      w.endMessage(1, code);
      w.endMessage(isError ? 5 : 2, denied);
      w.encoded(status === 401 ? STATUS_UNAUTHENTICATED : STATUS_DENIED);
    },
    { keep },
  );
  return { bytes, bodyIdEnd };
}

// ---- the decision's id -----------------------------------------------------------------------------------------------

/** Bytes that were built, and where the id is in them, beside their very end. */
interface Answer {
  readonly bytes: Buffer;
  /** How many bytes follow the id in the body; undefined: the body holds none. */
  readonly bodyIdEnd: number | undefined;
}

/** A copy for one decision: what is kept is never sent itself, because the transport may hold what it was given. */
function withId({ bytes, bodyIdEnd }: Answer, id: string): Buffer {
  const answer = Buffer.from(bytes);
  answer.write(id, answer.length - DECISION_ID_LENGTH, 'latin1');
  if (bodyIdEnd !== undefined) answer.write(id, answer.length - bodyIdEnd - DECISION_ID_LENGTH, 'latin1');
  return answer;
}

// ---- metadata --------------------------------------------------------------------------------------------------------

/** google.protobuf.Struct. The decision's id comes last of all, so the message ends with it. */
function writeMetadata(w: MessageWriter, metadata: Metadata, id: string): void {
  const mark = w.mark();
  writeEntry(w, 'decision_id', id);
  writeStruct(w, metadata);
  w.endMessage(4, mark);
}

function writeStruct(w: MessageWriter, object: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value !== undefined) writeEntry(w, key, value);
  }
}

function writeEntry(w: MessageWriter, key: string, value: unknown): void {
  const entry = w.mark();
  const content = w.mark();
  writeValue(w, value);
  w.endMessage(2, content);
  w.text(1, key);
  w.endMessage(1, entry);
}

/** google.protobuf.Value of a JSON value; what is not JSON is null. */
function writeValue(w: MessageWriter, value: unknown): void {
  if (typeof value === 'string') w.text(3, value);
  else if (typeof value === 'number') w.double(2, value);
  else if (typeof value === 'boolean') w.uint32(4, value ? 1 : 0);
  else if (Array.isArray(value)) writeList(w, value);
  else if (typeof value === 'object' && value !== null) {
    const mark = w.mark();
    writeStruct(w, value as Readonly<Record<string, unknown>>);
    w.endMessage(5, mark);
  } else w.uint32(1, 0);
}

function writeList(w: MessageWriter, list: readonly unknown[]): void {
  const mark = w.mark();
  for (const member of backwards(list)) {
    const content = w.mark();
    writeValue(w, member);
    w.endMessage(1, content);
  }
  w.endMessage(6, mark);
}
