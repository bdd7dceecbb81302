import { appliesAt, choice, count, documented, duration, section, text } from '../fields.js';

/** `revocation`: tokens that are refused before they expire. */
export const revocationSection = section({
  store: appliesAt(
    'restart',
    documented(
      choice(['memory', 'sqlite', 'redis']).prefault('memory'),
      '`memory`: this process and its workers; lost at a restart. `sqlite`: a file that outlives a restart. `redis`: all replicas that share one; needs the `redis` section.',
    ),
  ),
  path: appliesAt(
    'restart',
    documented(
      text('a path').optional(),
      'The database file of `sqlite`. Default: `./revocations.db`.',
      './revocations.db',
    ),
  ),
  maxEntries: documented(
    count(1, 100_000_000).prefault(1_000_000),
    'Revocations that are held. When they are, a new one is refused with 507; none is forgotten.',
  ),
  maxStale: documented(
    duration('0s', '24h').prefault('1m'),
    'How long what is known is enough while Redis is out of reach. After that `onUnavailable` decides.',
    '1m',
  ),
  onUnavailable: documented(
    choice(['deny', 'allow']).prefault('deny'),
    '`deny`: 503 `revocation_unavailable`. `allow`: what is known still counts, and nothing else.',
  ),
}).optional();
