/** One input of the fuzzer against one connection, and what must hold whatever the input is. */
import { encodeFields } from '../../../../src/fronts/envoy/http2/hpack/encoder.js';
import type { RequestHandler } from '../../../../src/fronts/envoy/http2/stream.js';
import { AnswerChecker } from './answer-checker.js';
import { randomChunks } from './frame-fuzzer.mjs';
import { ECHO, PATIENT, Peer } from './peer.js';
import { seededRandom } from '../../../support/seeded-random.mjs';
import { frame, HELLO } from './wire-frames.js';

const WIRE = { frame, encodeFields, paths: [ECHO, ECHO, PATIENT, '/unknown'] };

/** @returns the chunks that a seed stands for */
export const chunksOf = (seed: number): Buffer[] => randomChunks(seededRandom(seed), WIRE);

/** What became of an input. */
export interface FuzzOutcome {
  /** Calls that were answered with their own message. */
  readonly echoed: number;
  readonly cut: string;
}

/** @throws Error where something does not hold */
export function runInput(chunks: readonly Buffer[]): FuzzOutcome {
  const peer = new Peer();
  const messages = recordMessages(peer);
  peer.send(HELLO);
  for (const chunk of chunks) {
    // A copy whose bytes are overwritten afterwards: who kept a view of it would answer with zeros.
    const copy = Buffer.from(chunk);
    peer.connection.receive(copy);
    copy.fill(0);
  }
  peer.answers.splice(0).forEach((answer) => answer(Buffer.from('patient')));
  peer.pass(100);
  const checker = new AnswerChecker();
  peer.socket.frames.forEach((each) => checker.take(each));
  let echoed = 0;
  for (const [id, stream] of checker.streams) {
    const body = Buffer.concat(stream.body);
    const message = messages.get(id);
    const isOk = stream.fields.some(([name, value]) => name === 'grpc-status' && value === '0');
    if (body.length === 0 || !isOk) continue;
    if (message === undefined) throw new Error(`stream ${String(id)} was answered and never opened`);
    // What is not the message: the later answer of PATIENT, and that of a message which is not held.
    if (['patient', 'refused'].includes(body.subarray(5).toString())) continue;
    if (!body.subarray(5).equals(message)) throw new Error(`stream ${String(id)} has the answer of another`);
    echoed++;
  }
  assertClean(peer, checker);
  return { echoed, cut: peer.cuts.join() };
}

/** Notes what arrives on each stream, beside the server's own reading of it. */
function recordMessages(peer: Peer): Map<number, Buffer> {
  const messages = new Map<number, Buffer>();
  const begin = peer.grpc.begin.bind(peer.grpc);
  peer.grpc.begin = ((stream, head) => {
    messages.set(stream.id, Buffer.alloc(0));
    const reader = begin(stream, head);
    if (reader === undefined) return undefined;
    const parts: Buffer[] = [];
    return {
      data: (bytes, start, end, isLast) => {
        parts.push(Buffer.from(bytes.subarray(start, end)));
        if (isLast) messages.set(stream.id, Buffer.concat(parts).subarray(5));
        reader.data(bytes, start, end, isLast);
      },
      aborted: () => reader.aborted(),
    };
  }) satisfies RequestHandler['begin'];
  return messages;
}

function assertClean(peer: Peer, checker: AnswerChecker): void {
  if (peer.faults.length > 0) throw peer.faults[0];
  if (peer.cuts.length > 1) throw new Error('cut twice');
  if (peer.cuts.length === 1 && checker.goAways.length === 0) throw new Error('cut without a word');
  if (!peer.socket.parser.isEmpty) throw new Error('half a frame');
  peer.connection.closed();
  if (peer.bodies.used !== 0)
    throw new Error(`${String(peer.bodies.used)} bytes of bodies are held for ever`);
}
