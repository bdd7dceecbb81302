import type { z } from 'zod';
import type { configSchema } from './schema.js';

/** A configuration as it is written, in code instead of in a file: every key of the reference, defaults left out. */
export type ConfigInput = z.input<typeof configSchema>;
