import type { ConfigValue } from '../config-value.js';
import { type CheckContext, refuse } from './context.js';

const PLACES = ['header', 'cookie', 'query'] as const;
/** Headers that have a meaning of their own, which a token in them would take away. */
const NO_CREDENTIAL_HEADERS = new Set([
  'dpop',
  'cookie',
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'te',
  'upgrade',
  'content-type',
]);

/** Each place is one place, and no two are the same. */
export function checkCredentials(ctx: CheckContext): void {
  const seen = new Set<string>();
  for (const entry of ctx.root.get('credentials').items()) {
    const given = PLACES.filter((name) => entry.get(name).exists);
    const [kind] = given;
    if (given.length !== 1 || kind === undefined)
      refuse(ctx, entry, 'must have exactly one of header, cookie and query');
    else checkPlace(ctx, entry, { kind, seen });
  }
}

function checkPlace(
  ctx: CheckContext,
  entry: ConfigValue,
  options: { kind: (typeof PLACES)[number]; seen: Set<string> },
): void {
  const { kind, seen } = options;
  const node = entry.get(kind);
  const prefix = entry.get('prefix');
  // Cookie and parameter names differ by case; those of header fields do not.
  const name = kind === 'header' ? node.text?.toLowerCase() : node.text;
  if (seen.has(`${kind} ${name ?? ''}`)) refuse(ctx, node, 'is given twice');
  seen.add(`${kind} ${name ?? ''}`);
  if (kind === 'header' && NO_CREDENTIAL_HEADERS.has(name ?? ''))
    refuse(ctx, node, 'must be a header that can carry a token; use cookie for cookies');
  if (!prefix.exists) return;
  if (kind !== 'header') refuse(ctx, prefix, 'is for headers only');
  else if (name === 'authorization')
    refuse(ctx, prefix, 'is not for authorization, which has its schemes Bearer and DPoP');
}
