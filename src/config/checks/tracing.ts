import { type CheckContext, refuse } from './context.js';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const HEADER_VALUE = /^[\x20-\x7e]{0,4096}$/;

/** `tracing.headers`: names and values of header fields. The values are secrets, and never quoted. */
export function checkTracing(ctx: CheckContext): void {
  const headers = ctx.root.get('tracing').get('headers');
  for (const name of headers.keys()) {
    const value = headers.get(name);
    if (!HEADER_NAME.test(name)) refuse(ctx, value, 'must be the name of a header field');
    if (value.text !== undefined && !HEADER_VALUE.test(value.text))
      refuse(ctx, value, 'must be visible ASCII');
  }
}
