// @ts-check
/** Writes test/vectors/hpack-go.json: `node test/support/hpack-vectors.mjs`. Needs Go. */
import { writeFileSync } from 'node:fs';
import { mutatedConnection, randomConnection } from './hpack-inputs.mjs';
import { askHpackOracle, buildHpackOracle } from './hpack-oracle.mjs';
import { inRepository } from './repository.mjs';
import { seededRandom } from './seeded-random.mjs';

const CONNECTIONS = 24;

const program = await buildHpackOracle();
if (program === undefined) throw new Error('there is no Go on the PATH');
const random = seededRandom(7541);
const encoded = askHpackOracle(
  program,
  Array.from({ length: CONNECTIONS }, () => randomConnection(random)),
);
const mutated = askHpackOracle(
  program,
  encoded.flatMap(({ blocks }) =>
    Array.from({ length: 2 }, () =>
      mutatedConnection(
        random,
        blocks.map(({ hex = '' }) => hex),
      ),
    ),
  ),
);
writeFileSync(inRepository('test/vectors/hpack-go.json'), `${JSON.stringify({ encoded, mutated })}\n`);
