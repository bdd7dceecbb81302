import { type CheckContext, refuse } from './context.js';

/** `revocation`: what its store needs. */
export function checkRevocation(ctx: CheckContext): void {
  const { root } = ctx;
  const revocation = root.get('revocation');
  const store = revocation.get('store').text ?? 'memory';
  if (store === 'redis' && !root.get('redis').exists)
    refuse(ctx, root.get('redis'), 'is required by revocation.store: redis; it must have a url');
  if (store !== 'sqlite' && revocation.get('path').exists)
    refuse(ctx, revocation.get('path'), 'is for store: sqlite only');
}
