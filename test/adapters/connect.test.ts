import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, createFileRegistry, type DescService } from '@bufbuild/protobuf';
import {
  file_google_protobuf_empty,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { connectNodeAdapter, createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { authKey, protect } from '../../src/adapters/connect.js';
import { createGate, type Gate } from '../../src/index.js';
import { boundToken, liveConfig, liveProof, liveToken } from '../support/live-tokens.js';

const EMPTY = '.google.protobuf.Empty';

function describeService(): DescService {
  const file = create(FileDescriptorProtoSchema, {
    name: 'test.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: ['google/protobuf/empty.proto'],
    service: [{ name: 'Ping', method: [{ name: 'Ping', inputType: EMPTY, outputType: EMPTY }] }],
  });
  const set = create(FileDescriptorSetSchema, { file: [file_google_protobuf_empty.proto, file] });
  return createFileRegistry(set).getService('test.Ping') as DescService;
}

let gate: Gate;
let server: Server;
let origin: string;
const subjects: (string | undefined)[] = [];
const service = describeService();

beforeAll(async () => {
  gate = await createGate(liveConfig({ policies: { default: { errors: 'problem' } } }));
  const handler = connectNodeAdapter({
    interceptors: [protect(gate, { scopes: 'ping' })],
    routes: (router) =>
      router.service(service, {
        ping: (
          _message: unknown,
          context: { values: { get(key: typeof authKey): { subject?: unknown } | undefined } },
        ) => {
          subjects.push(context.values.get(authKey)?.subject as string);
          return {};
        },
      } as never),
  });
  server = createServer((request, response) => handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await gate.close();
});

async function ping(headers: Record<string, string>): Promise<ConnectError | undefined> {
  const transport = createConnectTransport({ baseUrl: origin, httpVersion: '1.1' });
  const client = createClient(service, transport) as unknown as {
    ping(message: object, options: object): Promise<unknown>;
  };
  try {
    await client.ping({}, { headers });
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  }
}

describe('portcullis/connect', () => {
  test('a call without a credential is unauthenticated, with its challenge', async () => {
    const error = await ping({});
    expect([error?.code, error?.rawMessage]).toEqual([Code.Unauthenticated, 'missing_credential']);
    expect(error?.metadata.get('www-authenticate')).toContain('Bearer realm="portcullis"');
  });

  test('a scope that is missing is a permission that is denied', async () => {
    expect((await ping({ authorization: `Bearer ${liveToken({ scope: 'x' })}` }))?.code).toBe(
      Code.PermissionDenied,
    );
  });

  test('the handler knows the caller', async () => {
    expect(
      await ping({ authorization: `Bearer ${liveToken({ sub: 'alice', scope: 'ping' })}` }),
    ).toBeUndefined();
    expect(subjects.at(-1)).toBe('alice');
  });

  test('a DPoP proof is for the method of the service, and is used up', async () => {
    const token = boundToken({ sub: 'bob', scope: 'ping' });
    const dpop = liveProof(token, `${origin}/test.Ping/Ping`, { htm: 'POST' });
    const headers = { authorization: `DPoP ${token}`, dpop };
    expect(await ping(headers)).toBeUndefined();
    expect((await ping(headers))?.rawMessage).toBe('dpop_proof_replayed');
  });
});
