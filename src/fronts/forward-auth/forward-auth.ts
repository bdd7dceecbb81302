/**
 * The HTTP front: a proxy asks about a request with a request of its own, and copies from the answer. Knows the
 * messages of node:http by their shape alone.
 */
import { Denial } from '../../authz/denial.js';
import type { Front, Guard } from '../../guard/guard.js';
import type { AddressSet } from '../../http/ip-network.js';
import { createQuestionReader, type Question } from './read-question.js';
import { STYLES, type StyleName } from './styles.js';
import { createAnswerWriter, type Answer, type AnswerOptions } from './write-answer.js';

/** A question with the connection that it came on; node's IncomingMessage is one. */
export interface IncomingQuestion extends Question {
  readonly socket: object & { readonly remoteAddress?: string | undefined };
}

/** Where an answer is written; node's ServerResponse is one. */
export interface AnswerSink {
  writeHead(status: number, headers: string[]): unknown;
  end(body: string): unknown;
}

/** What the front needs. */
export interface ForwardAuthOptions extends Omit<AnswerOptions, 'style'> {
  readonly guard: Guard;
  readonly style: StyleName;
  /** Whose questions are believed. Empty: nobody's. */
  readonly trustedProxies: AddressSet;
  /** How long the proxy waits for an answer, milliseconds. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Answers one question; never throws. */
export type ForwardAuthHandler = (question: IncomingQuestion, sink: AnswerSink) => void;

/** Creates the listener of the HTTP port. */
export function createForwardAuth(options: ForwardAuthOptions): ForwardAuthHandler {
  const { guard, timeoutMs, now } = options;
  const style = STYLES[options.style];
  const read = createQuestionReader(style);
  const isTrusted = trustBySocket(options.trustedProxies);
  const front: Front<IncomingQuestion, Answer> = {
    read(question) {
      if (!isTrusted(question.socket)) throw new Denial('untrusted_proxy');
      return read(question);
    },
    write: createAnswerWriter({ ...options, style }),
  };
  return (question, sink) => {
    const answer = guard.handle(front, question, now() + timeoutMs);
    if (answer instanceof Promise) void answer.then((late) => send(sink, late));
    else send(sink, answer);
  };
}

/** Proxies keep their connections, so an address is judged once per connection. */
function trustBySocket(proxies: AddressSet): (socket: IncomingQuestion['socket']) => boolean {
  const known = new WeakMap<object, boolean>();
  return (socket) => {
    let trusted = known.get(socket);
    if (trusted === undefined) {
      trusted = socket.remoteAddress !== undefined && proxies.has(socket.remoteAddress);
      known.set(socket, trusted);
    }
    return trusted;
  };
}

function send(sink: AnswerSink, { status, headers, body }: Answer): void {
  try {
    sink.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(body))]);
  } catch {
    // Node refuses a header. The client still gets a denial, and the process lives.
    sink.writeHead(500, ['content-length', '0']);
    sink.end('');
    return;
  }
  sink.end(body);
}
