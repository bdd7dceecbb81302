import { describe, expect, test } from '@jest/globals';
import { loadSync } from '@grpc/proto-loader';
import {
  AUTHORIZATION_SERVICE,
  authorizationDefinition,
  HEALTH_SERVICE,
  healthDefinition,
} from '../../../src/fronts/envoy/service-definitions.js';
import { inRepository } from '../../support/repository.mjs';

const load = (file: string, service: string): Record<string, any> =>
  loadSync(inRepository('proto', file), { enums: String })[service] as Record<string, any>;
const declared = {
  authorization: load('ext_authz.proto', AUTHORIZATION_SERVICE),
  health: load('health.proto', HEALTH_SERVICE),
};
const shape = ({ path, requestStream, responseStream }: any) => ({ path, requestStream, responseStream });
const shapes = (service: object) =>
  Object.fromEntries(Object.entries(service).map(([name, method]) => [name, shape(method)]));

describe('the services that are written out are those of proto/', () => {
  test('Authorization has the same methods at the same paths', () => {
    expect(shapes(authorizationDefinition)).toEqual(shapes(declared.authorization));
  });

  test('Health has the same methods at the same paths', () => {
    expect(shapes(healthDefinition)).toEqual(shapes(declared.health));
  });

  test.each(['Check', 'Watch'] as const)('%s of Health reads what the declared message writes', (name) => {
    const { requestDeserialize } = healthDefinition[name];
    for (const service of ['', AUTHORIZATION_SERVICE, 'Grüße']) {
      const bytes = declared.health[name].requestSerialize({ service }) as Buffer;
      expect(requestDeserialize(bytes)).toEqual({ service });
    }
  });

  test.each(['SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const)(
    'the declared message reads %s as we write it',
    (status) => {
      const bytes = healthDefinition.Check.responseSerialize({ status });
      expect(declared.health.Check.responseDeserialize(bytes)).toEqual({ status });
    },
  );

  test('an unknown field of a probe is passed over, bytes that are no message are refused', () => {
    const read = healthDefinition.Check.requestDeserialize;
    expect(read(Buffer.from([0x12, 1, 0x61, 0x0a, 1, 0x62]))).toEqual({ service: 'b' });
    expect(() => read(Buffer.from([0x0a, 200]))).toThrow();
    expect(() => read(Buffer.from([0x0a, 1, 0xff]))).toThrow('UTF-8');
  });

  test('a client needs the other direction, and a server has no use for it', () => {
    expect(() => healthDefinition.Check.requestSerialize()).toThrow();
  });
});
