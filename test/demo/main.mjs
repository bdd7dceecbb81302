// @ts-check
/**
 * `npm run demo`: a real Envoy, a real authorization server, a real OAuth client, and Portcullis between them.
 *
 *   npm run demo              one table; ends with 0 only if every row is as expected
 *   npm run demo -- --keep    leaves everything running for your own requests, until Ctrl-C
 *
 * With --gate, --issuer and --foreign-issuer it starts nothing and sends to those (deploy/compose.yaml does).
 */
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../support/ensure-built.mjs';
import { stopAll } from '../support/processes.mjs';
import { play } from './play.mjs';
import { startStack } from './stack.mjs';

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/**
 * @param {import('./stack.mjs').DemoStack} stack
 * @returns {string}
 */
const invitation = (stack) => `
It is all still running. In another terminal:

  TOKEN=$(curl -s -u writer:writer-secret -d grant_type=client_credentials \\
    -d 'scope=orders:read orders:write' ${stack.issuer}/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

  curl -i ${stack.gate}/me
  curl -i -H "Authorization: Bearer $TOKEN" ${stack.gate}/me
  curl -i -H "Authorization: Bearer $TOKEN" -X POST ${stack.gate}/orders/1
  curl -i -H "Authorization: Bearer $TOKEN" ${stack.gate}/back-office/

  metrics  ${stack.admin}/metrics
  status   ${stack.admin}/status
  tokens   ${stack.publicUrl}/admin/, as the administrator ${stack.adminToken}

Ctrl-C ends everything.
`;

/** @returns {Promise<void>} resolves at the first Ctrl-C or SIGTERM */
const interrupted = () =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve());
  });

/**
 * @param {boolean} keep
 * @returns {Promise<number>} the exit code
 */
async function run(keep) {
  ensureBuilt(say);
  const stack = await startStack(say);
  try {
    const { failed } = await play(stack, process.stdout);
    if (keep) {
      process.stdout.write(invitation(stack));
      isInviting = true;
      await interruption;
    } else {
      say(
        `all of it was counted at ${stack.admin}/metrics; \`npm run demo -- --keep\` leaves it there for you`,
      );
    }
    return failed === 0 ? 0 : 1;
  } finally {
    await stack.close();
  }
}

const { values } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    gate: { type: 'string' },
    issuer: { type: 'string' },
    'foreign-issuer': { type: 'string', default: '' },
  },
});

/** @returns {Promise<number>} the exit code */
async function start() {
  const { gate, issuer, 'foreign-issuer': foreignIssuer } = values;
  if (gate === undefined || issuer === undefined) return run(values.keep);
  const { failed } = await play({ gate, issuer, foreignIssuer }, process.stdout);
  return failed === 0 ? 0 : 1;
}

const interruption = interrupted();
// Ctrl-C is how an invitation ends; before it, it is an abort.
let isInviting = false;
const aborted = interruption.then(() => (isInviting ? new Promise(() => {}) : 130));
try {
  process.exitCode = /** @type {number} */ (await Promise.race([start(), aborted]));
} catch (error) {
  say(`\nthe demo failed: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}
// An interrupted run may still wait for an answer that will not come.
process.exit();
