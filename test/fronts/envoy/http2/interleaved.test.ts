/** Thousands of streams at once over real sockets, with answers in another order: each has the mark of its request. */
import { connect, type ClientHttp2Session } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GrpcServer } from '../../../../src/fronts/envoy/grpc.js';
import { startLeanServer } from '../../../../src/fronts/envoy/lean-server.js';
import { seededRandom } from '../../../support/seeded-random.mjs';
import { grpcMessage } from './wire-frames.js';

const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const CONNECTIONS = 4;
const CALLS = 1500;
const AT_ONCE = 400;
const seed = Number(process.env.PORTCULLIS_TEST_SEED ?? Date.now() % 1_000_000);
const random = seededRandom(seed);

let server: GrpcServer;
beforeAll(async () => {
  server = await startLeanServer(
    {
      check: (bytes) => {
        const answer = Buffer.from(bytes);
        if (random.below(3) === 0) return answer;
        return new Promise((resolve) => setTimeout(() => resolve(answer), random.below(8)));
      },
    },
    { address: '127.0.0.1:0', tls: undefined, maxMessageBytes: 1 << 20 },
  );
});
afterAll(() => server.drain(100));

/** One call whose body is written in pieces. @returns the message of its answer; undefined: it was cancelled */
async function callWith(session: ClientHttp2Session, message: Buffer): Promise<Buffer | undefined> {
  const stream = session.request({
    ':method': 'POST',
    ':path': CHECK,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const body = grpcMessage(message);
  const isCancelled = random.below(10) === 0;
  for (let from = 0; from < body.length;) {
    const length = 1 + random.below(body.length);
    stream.write(body.subarray(from, from + length));
    from += length;
    if (random.below(2) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (isCancelled) stream.close(8);
  else stream.end();
  const parts: Buffer[] = [];
  let status: unknown;
  stream.on('trailers', (fields) => (status = fields['grpc-status']));
  stream.on('data', (chunk: Buffer) => parts.push(chunk));
  await new Promise<void>((resolve, reject) => {
    stream.on('close', resolve);
    stream.on('error', reject);
  });
  if (isCancelled) return undefined;
  expect(status).toBe('0');
  return Buffer.concat(parts).subarray(5);
}

describe('startLeanServer()', () => {
  test(`${String(CONNECTIONS * CALLS)} interleaved calls (PORTCULLIS_TEST_SEED=${String(seed)})`, async () => {
    let answered = 0;
    let wrong = 0;
    const connections = Array.from({ length: CONNECTIONS }, async (_, connection) => {
      const session = connect(`http://127.0.0.1:${String(server.port)}`);
      const worker = async (_unused: unknown, lane: number): Promise<void> => {
        for (let round = lane; round < CALLS; round += AT_ONCE) {
          const mark = `${String(connection)}/${String(round)}/`;
          const message = Buffer.from(mark.repeat(1 + random.below(random.pick([3, 60, 4000]))));
          const answer = await callWith(session, message);
          if (answer === undefined) continue;
          answered++;
          if (!answer.equals(message)) wrong++;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      session.close();
    });
    await Promise.all(connections);
    expect(wrong).toBe(0);
    expect(answered).toBeGreaterThan(CONNECTIONS * CALLS * 0.8);
  }, 120_000);
});
