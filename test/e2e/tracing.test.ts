/** Spans of a real process, taken by a receiver that decodes OTLP by its protobuf definitions. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from '@jest/globals';
import { credentials, Metadata, type Client } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { AuthorizationClient, checkRequest } from '../support/envoy-messages.js';
import { FakeIssuer } from '../support/fake-issuer.js';
import { PLAIN_CONFIG, liveToken } from '../support/gate-stack.js';
import { startPortcullis, type RunningPortcullis } from '../support/portcullis-process.mjs';
import { scratchFile, stopAll } from '../support/processes.mjs';
import { AUDIENCE, testKey } from '../support/tokens.js';
import { until } from '../support/until.js';

/** The part of opentelemetry/proto/collector/trace/v1 that is sent; a field that is not here would not be decoded. */
const DEFINITIONS = `
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message InstrumentationScope { string name = 1; string version = 2; }
message Status { string message = 2; int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; Status status = 15;
}
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Request { repeated ResourceSpans resource_spans = 1; }
message Response {}
service TraceService { rpc Export(Request) returns (Response); }
`;
const file = scratchFile('otlp.proto');
writeFileSync(file, DEFINITIONS);
const { TraceService } = loadSync(file, { longs: String, oneofs: false }) as any;

interface Received {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly attributes: Record<string, unknown>;
  readonly nanoseconds: bigint;
}

const closers: (() => void)[] = [];
const issuers: FakeIssuer[] = [];

afterAll(async () => {
  for (const close of closers) close();
  await stopAll();
  for (const issuer of issuers) await issuer.stop();
});

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function startReceiver() {
  const spans: Received[] = [];
  const seen: { url: string | undefined; type: string | undefined; key: unknown }[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const type = request.headers['content-type'];
      seen.push({ url: request.url, type, key: request.headers['x-api-key'] });
      spans.push(...(type === 'application/json' ? fromJson(JSON.parse(body.toString())) : fromBytes(body)));
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { spans, seen, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function fromBytes(body: Buffer): Received[] {
  const decoded = TraceService.Export.requestDeserialize(body);
  const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
  return decoded.resourceSpans[0].scopeSpans[0].spans.map((span: any) =>
    describeSpan({
      ...span,
      traceId: hex(span.traceId),
      spanId: hex(span.spanId),
      parentSpanId: hex(span.parentSpanId),
    }),
  );
}

function fromJson(body: any): Received[] {
  return body.resourceSpans[0].scopeSpans[0].spans.map(describeSpan);
}

function describeSpan(span: any): Received {
  const { name, kind, traceId, spanId, parentSpanId = '' } = span;
  return {
    ...{ name, kind, traceId, spanId, parentSpanId },
    attributes: Object.fromEntries(span.attributes.map((one: any) => [one.key, Object.values(one.value)[0]])),
    nanoseconds: BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano),
  };
}

/** The admin port opens before the gRPC port. */
const connected = (client: Client): Promise<void> =>
  new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + 10_000, (error) => (error === undefined ? resolve() : reject(error)));
  });

async function ask(gate: RunningPortcullis, token: string, traceparent?: string): Promise<unknown> {
  const client: Client = new AuthorizationClient(`127.0.0.1:${gate.grpcPort}`, credentials.createInsecure());
  closers.push(() => client.close());
  await connected(client);
  const metadata = new Metadata();
  if (traceparent !== undefined) metadata.set('traceparent', traceparent);
  return new Promise((resolve, reject) => {
    (client as any).Check(
      checkRequest({ headers: [['authorization', `Bearer ${token}`]] }),
      metadata,
      { deadline: Date.now() + 5000 },
      (error: Error | null, answer: unknown) => (error === null ? resolve(answer) : reject(error)),
    );
  });
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe.each(['http/protobuf', 'http/json'] as const)('%s', (protocol) => {
  test('a Check is a server span below its caller, with the key fetch that it waited for, and no credential', async () => {
    const { spans, seen, endpoint } = await startReceiver();
    const issuer = await FakeIssuer.start();
    issuers.push(issuer);
    issuer.keys = [testKey('ES256').jwk];
    const gate = await startPortcullis({
      awaitKeys: true,
      config: {
        ...PLAIN_CONFIG,
        issuers: [{ issuer: issuer.issuer, audiences: [AUDIENCE], jwksUri: issuer.jwksUri }],
        // Every token asks for the keys, so that one of them waits.
        jwks: { maxTtl: '0s' },
        tracing: {
          endpoint,
          protocol,
          sampler: { ratio: 0, parent: true },
          headers: { 'x-api-key': 'top-secret' },
        },
      },
    });
    const token = liveToken({ claims: { iss: issuer.issuer, sub: 'somebody' } });
    await ask(gate, token, `00-${TRACE}-${PARENT}-01`);
    await ask(gate, token, `00-${TRACE}-${PARENT}-00`);
    await ask(gate, token);
    await until(() => spans.some(({ kind }) => kind === 2));
    const check = spans.find(({ kind }) => kind === 2)!;
    expect(check).toMatchObject({
      name: 'envoy.service.auth.v3.Authorization/Check',
      traceId: TRACE,
      parentSpanId: PARENT,
      attributes: {
        'rpc.system': 'grpc',
        'rpc.service': 'envoy.service.auth.v3.Authorization',
        'rpc.method': 'Check',
        'portcullis.decision': 'allow',
        'portcullis.reason': 'allowed',
        'portcullis.policy': 'default',
      },
    });
    expect(check.nanoseconds).toBeGreaterThan(0n);
    await until(() => spans.some(({ name }) => name === 'key fetch'));
    expect(spans.find(({ name }) => name === 'key fetch')).toMatchObject({
      kind: 3,
      traceId: TRACE,
      parentSpanId: check.spanId,
      attributes: { 'portcullis.issuer': issuer.issuer },
    });
    // One of three was sampled by its caller.
    expect(spans.filter(({ kind }) => kind === 2)).toHaveLength(1);
    expect(seen[0]).toEqual({
      url: '/v1/traces',
      type: protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
      key: 'top-secret',
    });
    const log = readFileSync(gate.logFile, 'utf8');
    expect(log).toContain(`"traceId":"${TRACE}"`);
    expect(
      log + JSON.stringify(spans, (_key, value: unknown) => (typeof value === 'bigint' ? '' : value)),
    ).not.toMatch(/top-secret|eyJ|somebody@/);
  });
});

test('a collector that is gone is a metric', async () => {
  const gate = await startPortcullis({
    awaitKeys: true,
    config: { ...PLAIN_CONFIG, tracing: { endpoint: 'http://127.0.0.1:9', sampler: { ratio: 1 } } },
  });
  await ask(gate, liveToken());
  await until(async () => (await gate.metrics()).includes('portcullis_trace_spans_dropped_total 1'));
});
