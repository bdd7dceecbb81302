// @ts-check
import { judge } from './outcome.mjs';
import { CHAPTERS } from './rows.mjs';
import { createTable } from './table.mjs';
import { createWorld } from './world.mjs';

/**
 * Runs every row through the gate and prints the table.
 * @param {Parameters<typeof createWorld>[0]} urls
 * @param {NodeJS.WriteStream} out
 * @returns {Promise<{ rows: number, failed: number, world: import('./world.mjs').World }>}
 */
export async function play(urls, out) {
  const world = await createWorld(urls);
  const table = createTable(out);
  let rows = 0;
  let failed = 0;
  table.header();
  for (const chapter of CHAPTERS.filter(({ asksPortcullis }) => !asksPortcullis || world.own)) {
    table.chapter(chapter.title);
    for (const row of chapter.rows) {
      const outcome = judge(row.expected, await row.run(world));
      table.row(row.sent, outcome);
      rows += 1;
      if (!outcome.matches) failed += 1;
    }
  }
  out.write(`\n${rows - failed} of ${rows} rows as expected\n`);
  return { rows, failed, world };
}
