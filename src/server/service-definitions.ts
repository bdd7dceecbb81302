/** The services of proto/, loaded once. Messages of the hot path stay bytes: `authz/wire` reads and writes them. */
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** grpc.health.v1 messages as proto-loader gives them. */
export interface HealthRequest {
  readonly service: string;
}
/** The answer to a health question. */
export interface HealthResponse {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

/** Service names as they are on the wire. */
export const AUTHORIZATION_SERVICE = 'envoy.service.auth.v3.Authorization';
/** The health service's own name. */
export const HEALTH_SERVICE = 'grpc.health.v1.Health';

const OPTIONS = { longs: String, enums: String, defaults: true, oneofs: true };

/** The Check method with its messages left as bytes, so that no decoding error can become a failed call. */
export function authorizationDefinition(): ServiceDefinition<{ Check: MethodDefinition<Buffer, Buffer> }> {
  const { Check } = loadService('ext_authz.proto', AUTHORIZATION_SERVICE);
  if (Check === undefined) throw new Error('proto/ext_authz.proto has no Check');
  return { Check: { ...Check, requestDeserialize: same, responseSerialize: same } };
}

/** The health service, decoded by proto-loader. */
export function healthDefinition(): ServiceDefinition {
  return loadService('health.proto', HEALTH_SERVICE);
}

function loadService(file: string, name: string): ServiceDefinition {
  const path = fileURLToPath(new URL(`../../proto/${file}`, import.meta.url));
  return loadSync(path, OPTIONS)[name] as ServiceDefinition;
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
