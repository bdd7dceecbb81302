/**
 * The services of proto/ as gRPC expects them. Written by hand rather than loaded: a parser of .proto files would be the
 * most expensive import of the start, for three methods. Tests compare them with proto/. Messages of Check stay bytes here:
 * `wire/` reads and writes them.
 */
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { WireReader } from './wire/reader.js';

/** grpc.health.v1.HealthCheckRequest */
export interface HealthRequest {
  readonly service: string;
}
/** grpc.health.v1.HealthCheckResponse */
export interface HealthResponse {
  readonly status: ServingStatus;
}

/** Numbers of grpc.health.v1.HealthCheckResponse.ServingStatus. */
const SERVING_STATUS = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
type ServingStatus = keyof typeof SERVING_STATUS;

/** Service names as they are on the wire. */
export const AUTHORIZATION_SERVICE = 'envoy.service.auth.v3.Authorization';
/** The health service's own name. */
export const HEALTH_SERVICE = 'grpc.health.v1.Health';

/** The Check method with its messages left as bytes, so that no decoding error can become a failed call. */
export const authorizationDefinition = {
  Check: {
    ...unary(AUTHORIZATION_SERVICE, 'Check'),
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
} as const satisfies ServiceDefinition<{ Check: MethodDefinition<Buffer, Buffer> }>;

const HEALTH_MESSAGES = {
  requestSerialize: notOurs,
  requestDeserialize: readHealthRequest,
  responseSerialize: writeHealthResponse,
  responseDeserialize: notOurs,
} as const;

/** The health service. */
export const healthDefinition = {
  Check: { ...unary(HEALTH_SERVICE, 'Check'), ...HEALTH_MESSAGES },
  Watch: { ...unary(HEALTH_SERVICE, 'Watch'), ...HEALTH_MESSAGES, responseStream: true },
} as const satisfies ServiceDefinition;

function unary(service: string, method: string) {
  return { path: `/${service}/${method}`, requestStream: false, responseStream: false } as const;
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

/** gRPC asks for both directions of a message; a server needs one. */
function notOurs(): never {
  throw new Error('a server does not ask');
}

const SERVICE_TAG = 10;
const STATUS_TAG = 8;

/** gRPC turns what it throws into a failed call; a probe decides nothing. */
function readHealthRequest(bytes: Buffer): HealthRequest {
  const reader = new WireReader(bytes);
  let service: string | undefined = '';
  while (reader.hasMore()) {
    const tag = reader.tag();
    if (tag === SERVICE_TAG) service = reader.text();
    else reader.skip(tag);
  }
  if (service === undefined) throw new Error('service is not UTF-8');
  return { service };
}

/** @returns the bytes of a HealthCheckResponse */
export function writeHealthResponse({ status }: HealthResponse): Buffer {
  return Buffer.of(STATUS_TAG, SERVING_STATUS[status]);
}
