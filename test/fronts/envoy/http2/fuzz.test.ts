/** Random and mutated frames: no input breaks the server, and no stream gets the answer of another. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { inRepository } from '../../../support/repository.mjs';
import { chunksOf, runInput } from './fuzz-one.js';

/** How many; more with PORTCULLIS_FUZZ_INPUTS. */
const INPUTS = Number(process.env.PORTCULLIS_FUZZ_INPUTS ?? 5000);
const FIRST = Number(process.env.PORTCULLIS_TEST_SEED ?? Date.now() % 1_000_000_000);

describe('any sequence of frames', () => {
  test(`${String(INPUTS)} inputs from PORTCULLIS_TEST_SEED=${String(FIRST)}`, () => {
    let echoed = 0;
    const cuts = new Map<string, number>();
    for (let seed = FIRST; seed < FIRST + INPUTS; seed++) {
      try {
        const outcome = runInput(chunksOf(seed));
        echoed += outcome.echoed;
        cuts.set(outcome.cut, (cuts.get(outcome.cut) ?? 0) + 1);
      } catch (error) {
        throw new Error(`seed ${String(seed)}`, { cause: error });
      }
    }
    // The inputs reach what they are meant to reach.
    expect(echoed).toBeGreaterThan(INPUTS / 2);
    expect(cuts.get('') ?? 0).toBeGreaterThan(INPUTS / 20);
    expect(cuts.get('protocol_error') ?? 0).toBeGreaterThan(INPUTS / 20);
  }, 3_600_000);

  test('the kept corpus: inputs that once found something, or reach a rare path', () => {
    const corpus = JSON.parse(readFileSync(inRepository('test/vectors/http2-frames.json'), 'utf8')) as {
      why: string;
      chunks: string[];
      echoed: number;
      cut: string;
    }[];
    for (const { why, chunks, echoed, cut } of corpus) {
      const outcome = runInput(chunks.map((hex) => Buffer.from(hex, 'hex')));
      expect({ why, ...outcome }).toEqual({ why, echoed, cut });
    }
  });
});
