import { createJsonSchema } from '../config/json-schema.js';
import { type CliIo, EXIT, type ExitCode } from './io.js';

/** `portcullis schema`: the JSON Schema of the configuration, for editors. */
export function runSchema(io: CliIo): ExitCode {
  io.out(JSON.stringify(createJsonSchema(), null, 2));
  return EXIT.ok;
}
