/**
 * Decision → CheckResponse bytes. The only encoder of answers: an unset status is 0, and 0 allows, so nothing else may
 * write one. A denial always carries a non-zero code and a denied_response (or error_response), an allow always a full
 * ok_response; `append` is never written.
 *
 * @see docs/architecture.md the one invariant
 */
import { perObject } from '../../authz/kept.js';
import { bodyText } from '../../authz/refusal.js';
import type { Allow, Deny, HeaderPair } from '../../authz/types.js';
import { writeMetadata } from './metadata-struct.js';
import { backwards, encodeOnce, MessageWriter } from './wire/writer.js';

/** An answer's bytes. They end with the decision's id, which is the last of the metadata. */
export interface Answer {
  readonly bytes: Buffer;
  /** How many bytes follow the id in the body; undefined: the body holds none. */
  readonly bodyIdEnd: number | undefined;
}

/** google.rpc codes that Envoy treats as a denial. */
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

/** HeaderAppendAction. */
const APPEND_IF_EXISTS_OR_ADD = 0;
const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** Status {code: 0}, written out: an empty Status means the same to Envoy, but this one is explicit. */
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

/** How long the bytes live. */
export interface EncodeOptions {
  /** true: they are kept, so they get memory of their own. */
  readonly keep: boolean;
}

/** Answers are built in one turn each, so one writer serves them all. */
const writer = new MessageWriter();

function encode(write: (w: MessageWriter) => void, { keep }: EncodeOptions): Buffer {
  // A build that threw must not leave its half to the next one.
  writer.reset();
  write(writer);
  return keep ? writer.finishToKeep() : writer.finish();
}

/** Encodes an allow. */
export function encodeAllow(
  { ctx, upstream, responseHeaders, metadata }: Allow,
  options: EncodeOptions,
): Answer {
  const { set, remove, removeQuery } = upstream;
  const bytes = encode((w) => {
    writeMetadata(w, metadata, ctx.id);
    const mark = w.mark();
    w.encoded(removeQueryBytes(removeQuery));
    for (const pair of backwards(responseHeaders)) writeHeader(w, 6, pair, actionOf(pair));
    w.encoded(removeBytes(remove));
    for (const pair of backwards(set)) writeHeader(w, 2, pair, OVERWRITE_IF_EXISTS_OR_ADD);
    w.endMessage(3, mark);
    w.encoded(STATUS_OK);
  }, options);
  return { bytes, bodyIdEnd: undefined };
}

/** Encodes a denial: as an error_response where the operator leaves it to Envoy, else as a denied_response. */
export function encodeDeny({ ctx, refusal, metadata }: Deny, options: EncodeOptions): Answer {
  const { status, headers, body, isLeftToProxy } = refusal;
  let bodyIdEnd: number | undefined;
  const bytes = encode((w) => {
    writeMetadata(w, metadata, ctx.id);
    const denied = w.mark();
    if (body?.after !== undefined) bodyIdEnd = w.mark() + Buffer.byteLength(body.after);
    if (body !== undefined) w.text(3, bodyText(body, ctx.id));
    // Several values of one name must all arrive: action 0 adds.
    for (const pair of backwards(headers)) writeHeader(w, 2, pair, APPEND_IF_EXISTS_OR_ADD);
    const code = w.mark();
    w.uint32(1, status);
    w.endMessage(1, code);
    w.endMessage(isLeftToProxy ? 5 : 2, denied);
    w.encoded(status === 401 ? STATUS_UNAUTHENTICATED : STATUS_DENIED);
  }, options);
  return { bytes, bodyIdEnd };
}

/** Lists of names are shared between answers, and so are their bytes. */
const removeBytes = perObject((names: readonly string[]) => namesOf(5, names));
const removeQueryBytes = perObject((names: readonly string[]) => namesOf(8, names));

function namesOf(field: number, names: readonly string[]): Buffer {
  return encodeOnce((w) => {
    for (const name of backwards(names)) w.text(field, name);
  });
}

/** The upstream may expose headers to scripts as well; ours is added to them. */
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
