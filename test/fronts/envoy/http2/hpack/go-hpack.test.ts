/** Both ways against Go's golang.org/x/net/http2/hpack: kept vectors everywhere, new inputs where there is a Go. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createHpackDecoder } from '../../../../../src/fronts/envoy/http2/hpack/decoder.js';
import { encodeFields } from '../../../../../src/fronts/envoy/http2/hpack/encoder.js';
import { HpackError } from '../../../../../src/fronts/envoy/http2/hpack/hpack-error.js';
import { mutatedConnection, randomConnection } from '../../../../support/hpack-inputs.mjs';
import {
  askHpackOracle,
  type Block,
  buildHpackOracle,
  type Connection,
} from '../../../../support/hpack-oracle.mjs';
import { findProgram } from '../../../../support/find-program.mjs';
import { inRepository } from '../../../../support/repository.mjs';
import { seededRandom } from '../../../../support/seeded-random.mjs';

/** What is refused here and not by Go. */
const STRICTER = [
  // Go reads on to 63 bits.
  'an integer is too long',
  // Go lets it pass while its table is empty.
  'a table size update follows a field',
];

const vectors = JSON.parse(readFileSync(inRepository('test/vectors/hpack-go.json'), 'utf8')) as {
  encoded: Connection[];
  mutated: Connection[];
};

/** @returns what this decoder makes of the blocks: the fields of each, and the fault that ended it */
function decodeAll(blocks: readonly Block[]): { fields: unknown[]; error?: string } {
  const decoder = createHpackDecoder({ maxTableBytes: 4096, maxListBytes: 1 << 24 });
  const fields: unknown[] = [];
  try {
    for (const { hex = '' } of blocks) {
      const octets = Buffer.from(hex, 'hex');
      fields.push(decoder.decode(octets, 0, octets.length).fields);
    }
    return { fields };
  } catch (error) {
    if (!(error instanceof HpackError)) throw error;
    return { fields, error: error.message };
  }
}

/** Go's word for a size update that is not the first of its block, where its table is not empty. RFC 7541 allows two. */
const GO_STRICTER = 'dynamic table size update MUST occur at the beginning of a header block';

/** What both decoded must be the same, and a fault of one a fault of the other in the same block. */
function expectAsGo({ blocks }: Connection): void {
  const here = decodeAll(blocks);
  const faulty = blocks.findIndex(({ error }) => error !== undefined);
  const there = (faulty < 0 ? blocks : blocks.slice(0, faulty)).map(({ fields = [] }) => fields);
  const common = Math.min(here.fields.length, there.length);
  expect(here.fields.slice(0, common)).toEqual(there.slice(0, common));
  if (there.length > common && STRICTER.includes(here.error ?? '')) return;
  if (here.fields.length > common && blocks[faulty]?.error?.includes(GO_STRICTER)) return;
  expect([here.fields.length, here.error !== undefined]).toEqual([there.length, faulty >= 0]);
}

describe('decode() and the vectors of Go', () => {
  test('blocks that Go encoded, with changes of the table size', () => {
    for (const { blocks } of vectors.encoded) {
      expect(decodeAll(blocks)).toEqual({ fields: blocks.map(({ fields = [] }) => fields) });
    }
  });

  test('mutated blocks: the same fields, or a fault where Go has one', () => {
    expect(vectors.mutated.filter(({ blocks }) => blocks.some(({ error }) => error)).length).toBeGreaterThan(
      20,
    );
    vectors.mutated.forEach(expectAsGo);
  });
});

// The vectors above are Go's as well, so where there is no Go this is left out and not skipped.
const withGo =
  findProgram('go') === undefined
    ? (title: string) => describe(title, () => test.todo('needs go on the PATH'))
    : describe;

withGo('HPACK and the Go of this machine', () => {
  const seed = Number(process.env.PORTCULLIS_TEST_SEED ?? Date.now() % 1_000_000);
  const random = seededRandom(seed);
  let program = '';
  let encoded: Connection[] = [];

  beforeAll(async () => {
    program = (await buildHpackOracle())!;
    encoded = askHpackOracle(
      program,
      Array.from({ length: 500 }, () => randomConnection(random)),
    );
  }, 5 * 60_000);

  test(`decode() 500 connections that Go encoded (PORTCULLIS_TEST_SEED=${String(seed)})`, () => {
    for (const { blocks } of encoded) {
      expect(decodeAll(blocks)).toEqual({ fields: blocks.map(({ fields = [] }) => fields) });
    }
  });

  test(`decode() 5,000 mutated connections as Go does (PORTCULLIS_TEST_SEED=${String(seed)})`, () => {
    const mutated = Array.from({ length: 5000 }, () =>
      mutatedConnection(
        random,
        random.pick(encoded).blocks.map(({ hex = '' }) => hex),
      ),
    );
    askHpackOracle(program, mutated).forEach(expectAsGo);
  });

  test('encodeFields() is decoded by Go to the same fields', () => {
    const blocks = encoded.flatMap((connection) => connection.blocks.map(({ fields = [] }) => fields));
    const asked = blocks.map((fields) => ({ hex: encodeFields(fields).toString('hex') }));
    const [answer] = askHpackOracle(program, [{ do: 'decode', blocks: asked }]);
    expect(answer!.blocks.map(({ fields = [] }) => fields)).toEqual(blocks);
  });
});
