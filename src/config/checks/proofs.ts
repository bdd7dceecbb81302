import { type CheckContext, refuse } from './context.js';

/** Proofs: what nonces, the replay store and fetched key sets need from elsewhere. */
export function checkProofs(ctx: CheckContext): void {
  const nonce = ctx.root.get('dpop').get('nonce');
  if (nonce.get('mode').text === 'required' && nonce.get('secrets').items().length === 0) {
    refuse(ctx, nonce.get('secrets'), 'must have at least one secret where mode is required');
  }
  if (ctx.root.get('replay').get('store').text === 'redis' && !ctx.root.get('redis').exists) {
    refuse(ctx, ctx.root.get('redis'), 'is required by replay.store: redis; it must have a url');
  }
}
