import { isLoopbackHost } from '../../http/address-rules.js';
import { readSigningKeys } from '../signing-keys.js';
import { type CheckContext, refuse } from './context.js';

/** `tokens`: the key set can sign, and the issuer is one that verifiers would trust. */
export function checkTokens(ctx: CheckContext): void {
  const tokens = ctx.root.get('tokens');
  const keys = tokens.get('keys');
  const set = keys.text === undefined || keys.text === '' ? undefined : readSigningKeys(keys.text, ctx.files);
  if (set !== undefined && 'problem' in set) refuse(ctx, keys, set.problem);
  const issuer = tokens.get('issuer');
  const url = issuer.text !== undefined && URL.canParse(issuer.text) ? new URL(issuer.text) : undefined;
  if (url?.protocol === 'http:' && !isLoopbackHost(url.hostname))
    refuse(ctx, issuer, 'must be https; plain http only on loopback hosts');
}
