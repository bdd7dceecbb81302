/**
 * CheckRequest and CheckResponse by reflection over proto/: an independent reader and writer, to hold the
 * hand-written ones to.
 */
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const path = fileURLToPath(new URL('../../proto/ext_authz.proto', import.meta.url));
const definition = loadSync(path, {
  keepCase: true,
  longs: Number,
  enums: Number,
  defaults: false,
  oneofs: true,
});
const loaded = loadPackageDefinition(definition) as any;

/** The generated client of the Authorization service. */
export const AuthorizationClient = loaded.envoy.service.auth.v3.Authorization as ServiceClientConstructor;
const { Check } = AuthorizationClient.service as any;

/** A header as a test writes it. */
export type HeaderInput = readonly [name: string, value: string | Buffer];

/** The request of a client, as a test describes it. */
export interface RequestInput {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly scheme?: string;
  readonly headers?: readonly HeaderInput[];
  /** As Envoy sends them with encode_raw_headers. */
  readonly raw?: boolean;
  readonly certificate?: string;
  readonly extensions?: Readonly<Record<string, string>>;
}

/** A CheckRequest as Envoy builds it from a client's request. */
export function checkRequest(input: RequestInput = {}): object {
  const { method = 'GET', path: target = '/resource', host = 'api.example.com', scheme = 'https' } = input;
  const list: HeaderInput[] = [
    [':method', method],
    [':path', target],
    [':authority', host],
    [':scheme', scheme],
    ['x-request-id', 'b2a5e3a0-6f0e-4b4c-9a52-9d2f0d1c0001'],
    ...(input.headers ?? []),
  ];
  const http = { id: '1', method, path: target, host, scheme, protocol: 'HTTP/1.1' };
  return {
    attributes: {
      source: {
        address: { socket_address: { address: '203.0.113.7', port_value: 4711 } },
        ...(input.certificate === undefined ? {} : { certificate: input.certificate }),
      },
      destination: { address: { socket_address: { address: '127.0.0.1', port_value: 10000 } } },
      request: {
        time: { seconds: 1_760_000_000, nanos: 5 },
        http:
          input.raw === true
            ? { ...http, header_map: rawHeaders(list) }
            : { ...http, headers: joinedHeaders(list) },
      },
      context_extensions: input.extensions ?? {},
    },
  };
}

/** The bytes of that request. */
export function checkRequestBytes(input: RequestInput = {}): Buffer {
  return encodeCheckRequest(checkRequest(input));
}

/** Any message, encoded by reflection. */
export function encodeCheckRequest(message: object): Buffer {
  return Check.requestSerialize(message) as Buffer;
}

/** One header of an answer. */
export interface HeaderOption {
  readonly header: { readonly key: string; readonly value: string };
  readonly append?: unknown;
  readonly append_action?: number;
}

/** A CheckResponse as reflection reads it. */
export interface CheckAnswer {
  readonly status?: { readonly code?: number };
  readonly denied_response?: DeniedAnswer;
  readonly error_response?: DeniedAnswer;
  readonly ok_response?: {
    readonly headers?: readonly HeaderOption[];
    readonly headers_to_remove?: readonly string[];
    readonly response_headers_to_add?: readonly HeaderOption[];
    readonly query_parameters_to_remove?: readonly string[];
  };
  readonly dynamic_metadata?: unknown;
}

/** A denial's part of it. */
export interface DeniedAnswer {
  readonly status?: { readonly code: number };
  readonly headers?: readonly HeaderOption[];
  readonly body?: string;
}

/** Reads a CheckResponse. */
export function decodeAnswer(bytes: Buffer): CheckAnswer {
  return Check.responseDeserialize(bytes) as CheckAnswer;
}

/** The dynamic metadata of an answer, its texts and numbers. */
export function metadataOf({ dynamic_metadata: metadata }: CheckAnswer): Record<string, unknown> {
  const { fields = {} } = (metadata ?? {}) as { fields?: Record<string, Record<string, unknown>> };
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value.stringValue ?? value.numberValue]),
  );
}

/** The values of a header in an answer. */
export function valuesOf(headers: readonly HeaderOption[] | undefined, name: string): string[] {
  return (headers ?? []).filter((option) => option.header.key === name).map((option) => option.header.value);
}

function joinedHeaders(list: readonly HeaderInput[]): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of list) {
    joined[name] = name in joined ? `${joined[name]},${value.toString()}` : value.toString();
  }
  return joined;
}

function rawHeaders(list: readonly HeaderInput[]): object {
  return { headers: list.map(([key, value]) => ({ key, raw_value: Buffer.from(value) })) };
}
