import { RecordedRequestError } from '../fronts/envoy/recorded-request.js';

/** The members of an object, each with those of its value; null: anything. Names of protobuf are in snake case. */
export interface Members {
  readonly [name: string]: Members | null;
}

const PEER: Members = { address: null, service: null, labels: null, principal: null, certificate: null };

/**
 * envoy.service.auth.v3.CheckRequest. It has what Envoy can send, the members that the gate does not read included: a
 * recorded request is taken as it is, and only what no Envoy sends is refused.
 */
export const CHECK_REQUEST: Members = {
  attributes: {
    source: PEER,
    destination: PEER,
    request: {
      time: null,
      http: {
        id: null,
        method: null,
        headers: null,
        header_map: { headers: null },
        path: null,
        host: null,
        scheme: null,
        query: null,
        fragment: null,
        size: null,
        protocol: null,
        body: null,
        raw_body: null,
      },
    },
    context_extensions: null,
    metadata_context: null,
    route_metadata_context: null,
    tls_session: null,
  },
};

/** The form for people. */
export const SHORT_FORM: Members = { method: null, url: null, headers: null, policy: null };

/**
 * Refuses members that would be ignored.
 *
 * @param members the known ones; a name of them may be written in camel case as well
 * @throws RecordedRequestError naming the first one
 */
export function assertKnownMembers(object: object, members: Members, path = ''): void {
  for (const [name, value] of Object.entries(object)) {
    const known = snakeCase(name);
    if (!Object.hasOwn(members, known)) {
      const where = `${path}${name}`.slice(0, 128);
      throw new RecordedRequestError(
        `${JSON.stringify(where)} would be ignored; known are ${Object.keys(members).join(', ')}`,
      );
    }
    const below = members[known];
    if (below && typeof value === 'object' && value !== null)
      assertKnownMembers(value as object, below, `${path}${name}.`);
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
