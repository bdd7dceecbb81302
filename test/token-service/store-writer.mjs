// @ts-check
/**
 * Writes tokens into a store as fast as it can, and prints each tokenId once its write is acknowledged. The test kills
 * it in the middle.
 *
 *   node store-writer.mjs SETTINGS COUNT
 */
import { writeSync } from 'node:fs';

const LANES = 4;

/** @param {string} path of what was built: this runs outside the test runner */
const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
const { openTokenStore } = await built('token-service/stores/open-token-store.js');
const { silentLogger, systemClock } = await built('ports.js');
const [settings = '', count = '0'] = process.argv.slice(2);
const store = await openTokenStore(JSON.parse(settings), { clock: systemClock, logger: silentLogger });

/** @param {number} lane */
async function write(lane) {
  for (let index = lane; index < Number(count); index += LANES) {
    const tokenId = `written-${String(index).padStart(5, '0')}`;
    const record = { tokenId, owner: 'writer', isAdmin: false, roles: ['one'], scopes: [], createdAt: 1 };
    await store.insert({ ...record, secretPhc: '$scrypt$' });
    writeSync(1, `${tokenId}\n`);
  }
}

await Promise.all(Array.from({ length: LANES }, (_, lane) => write(lane)));
await store.close();
