/** How much a Check may cost on each transport, over the grpc-js floor of the same run. */

/** `floors`: so many floors; `raw`: so many raw verifications on top of them. */
const TARGETS = {
  'grpc-js': {
    anonymous: { floors: 1.05 },
    'known-token': { floors: 1.15 },
    'known-token-single': { floors: 1.2 },
    garbage: { floors: 1.15 },
    'first-seen-rs256': { floors: 1, raw: 2.2 },
    'first-seen-es256': { floors: 1, raw: 1.4 },
    'first-seen-eddsa': { floors: 1, raw: 1.4 },
    dpop: { floors: 1, raw: 1.5 },
  },
  lean: {
    anonymous: { floors: 0.12 },
    'known-token': { floors: 0.18 },
    'known-token-single': { floors: 0.33 },
    garbage: { floors: 0.18 },
    'first-seen-rs256': { floors: 0.2, raw: 2 },
    'first-seen-es256': { floors: 0.2, raw: 1.25 },
    'first-seen-eddsa': { floors: 0.2, raw: 1.25 },
    dpop: { floors: 0.25, raw: 1.3 },
  },
};

/** The transports that can be measured. */
export const TRANSPORTS = Object.keys(TARGETS);

/**
 * The target of a case, and how its measurement is held to it.
 * @param {string} name of the case
 * @param {string} transport
 * @returns {{ target: string, limit: number, value: (cpu: Record<string, number>) => number }}
 */
export function targetOf(name, transport) {
  const { floors, raw } = TARGETS[transport][name];
  if (raw === undefined)
    return { target: `≤ ${floors} × floor`, limit: floors, value: ({ subject, floor }) => subject / floor };
  return {
    target: `≤ ${floors === 1 ? '' : `${floors} × `}floor + ${raw} × raw verify`,
    limit: raw,
    value: ({ subject, floor, raw: verify }) => (subject - floors * floor) / verify,
  };
}
