// @ts-check
/** Where things are in this checkout. */
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** Absolute path of the checkout. */
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/**
 * @param {...string} parts below the checkout
 * @returns {string} an absolute path
 */
export const inRepository = (...parts) => join(REPOSITORY, ...parts);
