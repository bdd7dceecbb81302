import { Cluster, type Redis } from 'ioredis';
import type { Logger } from '../ports.js';

/**
 * Asks a server how it makes room when its memory is full, and warns where it would give up keys: a spent proof or a
 * revocation that is evicted is accepted again. Nothing is said where the server does not permit the question. Does not see
 * whether writes survive a failover.
 *
 * @param client connected
 */
export async function warnOfEviction(client: Redis | Cluster, log: Logger): Promise<void> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client];
  const policies = await Promise.all(nodes.map((node) => evictionPolicyOf(node)));
  const evicting = policies.find((policy) => policy !== undefined && policy !== 'noeviction');
  if (evicting === undefined) return;
  log.warn(
    { 'maxmemory-policy': evicting },
    'redis may evict keys when its memory is full, so that spent proofs can be replayed; set maxmemory-policy noeviction',
  );
}

/** @returns undefined where the server does not say */
async function evictionPolicyOf(node: Redis): Promise<string | undefined> {
  try {
    const [, policy] = await node.config('GET', 'maxmemory-policy');
    return policy;
  } catch {
    return undefined;
  }
}
