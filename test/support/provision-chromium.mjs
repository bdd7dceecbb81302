// @ts-check
/** Finds a Chromium to run: CHROMIUM_BIN, then the PATH. `.ci/run` installs one where it may. */
import { chromium } from 'playwright-core';
import { findProgram, isExecutable } from './find-program.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Nothing but what the page asks for leaves the browser. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What to do where findChromium() finds none. */
export const CHROMIUM_ADVICE =
  'no Chromium on the PATH; install one (Debian: apt-get install chromium) or set CHROMIUM_BIN';

/**
 * @returns {string | undefined} the path of a browser
 * @throws {Error} where CHROMIUM_BIN names something that cannot be run
 */
export function findChromium() {
  const named = process.env['CHROMIUM_BIN'];
  if (named) {
    if (!isExecutable(named)) throw new Error(`CHROMIUM_BIN is ${named}, and that cannot be run`);
    return named;
  }
  return NAMES.map((name) => findProgram(name)).find((path) => path !== undefined);
}

/** @returns {Promise<import('playwright-core').Browser>} a browser without a window; the caller closes it */
export function startChromium() {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(CHROMIUM_ADVICE);
  return chromium.launch({ executablePath, headless: true, args: ARGS });
}
