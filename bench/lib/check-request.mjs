/**
 * CheckRequests as Envoy builds them: 15 header fields, both peers, a time; as protobuf bytes, framed for gRPC.
 */
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

/** Where the wire is declared. */
export const protoFile = fileURLToPath(new URL('../../proto/ext_authz.proto', import.meta.url));

/** The path of the one method. */
export const checkPath = '/envoy.service.auth.v3.Authorization/Check';

const loaded = grpc.loadPackageDefinition(
  protoLoader.loadSync(protoFile, { keepCase: true, longs: Number, oneofs: true }),
);
const check = loaded.envoy.service.auth.v3.Authorization.service.Check;

/** The fields a browser's request has when it comes to ext_authz behind a stock Envoy; 15 with `authorization`. */
export const usualHeaders = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0',
  accept: 'application/json, text/plain, */*',
  'accept-language': 'en-GB,en;q=0.7,de;q=0.3',
  'accept-encoding': 'gzip, deflate, br, zstd',
  referer: 'https://app.example.com/orders',
  origin: 'https://app.example.com',
  'sec-fetch-mode': 'cors',
  'x-forwarded-proto': 'https',
  'x-forwarded-for': '203.0.113.7',
  'x-request-id': '8f3a6d4e-2f0b-4c55-9a63-0d9f7c1b2a34',
};

/**
 * The message of one request.
 * @param {{ method?: string, path?: string, host?: string, headers?: Record<string, string> }} request `headers` come on top of the usual ones
 * @returns {object} a CheckRequest for the generated serialiser
 */
export function checkRequest({
  method = 'GET',
  path = '/orders/4711',
  host = 'api.example.com',
  headers = {},
} = {}) {
  const pseudo = { ':authority': host, ':method': method, ':path': path, ':scheme': 'https' };
  const http = { id: '4027318473264632', method, path, host, scheme: 'https', protocol: 'HTTP/1.1' };
  return {
    attributes: {
      source: { address: { socket_address: { address: '203.0.113.7', port_value: 50412 } } },
      destination: { address: { socket_address: { address: '10.0.0.5', port_value: 8443 } } },
      request: {
        time: { seconds: 1_767_225_600, nanos: 1 },
        http: { ...http, headers: { ...pseudo, ...usualHeaders, ...headers } },
      },
    },
  };
}

/**
 * One message with the five bytes gRPC puts in front.
 * @param {Buffer} message protobuf bytes
 */
export function grpcFrame(message) {
  const framed = Buffer.allocUnsafe(message.length + 5);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, 5);
  return framed;
}

/** The body of one Check call: bytes to put into a DATA frame. */
export const checkBody = (request) => grpcFrame(check.requestSerialize(checkRequest(request)));

/** Decodes a whole CheckResponse; for set-up and assertions, not for the measured path. */
export const parseCheckResponse = (message) => check.responseDeserialize(message);

/** Serialises a CheckResponse; for the constant answers of the floor. */
export const serializeCheckResponse = (response) => check.responseSerialize(response);

/** The generated definition of Check, for servers that decode by reflection. */
export const checkDefinition = check;

/**
 * What an answer decides, read from the first fields without decoding the rest.
 * @param {Buffer} message protobuf bytes of a CheckResponse
 * @returns {number} 200 for an allow, otherwise the HTTP status of the denial (403 where it names none)
 */
export function decisionOf(message) {
  let statusCode = 0;
  let http = 403;
  for (let at = 0; at < message.length;) {
    const field = message[at] >> 3;
    const [length, start] = varint(message, at + 1);
    if (field === 1) statusCode = firstVarint(message, start, length);
    if (field === 2 || field === 5) http = nestedStatus(message, start) ?? http;
    at = start + length;
  }
  return statusCode === 0 ? 200 : http;
}

function varint(bytes, from) {
  let value = 0;
  for (let at = from, shift = 0; ; at++, shift += 7) {
    value |= (bytes[at] & 0x7f) << shift;
    if (bytes[at] < 0x80) return [value, at + 1];
  }
}

const firstVarint = (bytes, start, length) =>
  length > 1 && bytes[start] === 0x08 ? varint(bytes, start + 1)[0] : 0;

function nestedStatus(bytes, start) {
  if (bytes[start] !== 0x0a) return undefined;
  const [length, inner] = varint(bytes, start + 1);
  return firstVarint(bytes, inner, length);
}
