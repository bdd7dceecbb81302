// @ts-check
/** The demo's clients: real OAuth through `oauth4webapi`, and plain requests as anyone can send them. */
import { connect } from 'node:http2';
import * as oauth from 'oauth4webapi';
import { DEMO_AUDIENCE, DEMO_CERTIFICATE_HEADER, DEMO_CLIENTS } from './clients.mjs';

/** The demo's addresses are plain http on loopback. */
const insecure = { [oauth.allowInsecureRequests]: true };

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {Record<string, string>} headers
 * @property {string} body
 */

/**
 * @typedef {object} TokenOptions
 * @property {string} [scope]
 * @property {oauth.DPoPHandle} [dpop] the token is bound to its key
 * @property {Buffer} [certificate] DER; the token is bound to it
 */

/**
 * @param {string} issuer of an authorization server
 * @returns {Promise<(clientId: string, options?: TokenOptions) => Promise<string>>} gets access tokens from it
 */
export async function createTokenSource(issuer) {
  const url = new URL(issuer);
  const discovered = await oauth.discoveryRequest(url, insecure);
  const server = await oauth.processDiscoveryResponse(url, discovered);
  return async (clientId, options = {}) => {
    const secret = DEMO_CLIENTS.find((known) => known.id === clientId)?.secret ?? '';
    const parameters = { resource: DEMO_AUDIENCE, ...(options.scope ? { scope: options.scope } : {}) };
    const client = { client_id: clientId };
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretBasic(secret),
      parameters,
      {
        ...insecure,
        ...(options.dpop ? { DPoP: options.dpop } : {}),
        ...(options.certificate
          ? { headers: { [DEMO_CERTIFICATE_HEADER]: options.certificate.toString('base64') } }
          : {}),
      },
    );
    return (await oauth.processClientCredentialsResponse(server, client, response)).access_token;
  };
}

/**
 * @param {string} issuer of an authorization server
 * @returns {Promise<(clientId: string, token: string) => Promise<void>>} revokes a client's token there (RFC 7009)
 */
export async function createRevoker(issuer) {
  const url = new URL(issuer);
  const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure));
  return async (clientId, token) => {
    const secret = DEMO_CLIENTS.find((known) => known.id === clientId)?.secret ?? '';
    const client = { client_id: clientId };
    const response = await oauth.revocationRequest(
      server,
      client,
      oauth.ClientSecretBasic(secret),
      token,
      insecure,
    );
    await oauth.processRevocationResponse(response);
  };
}

/** @returns {Promise<oauth.DPoPHandle>} a client's own DPoP key */
export const createDpopKey = async () => oauth.DPoP({}, await oauth.generateKeyPair('ES256'));

/**
 * @param {Response} response
 * @returns {Promise<Answer>}
 */
const toAnswer = async (response) => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
});

/**
 * @param {string} url
 * @param {{ method?: string, headers?: Record<string, string>, body?: string }} [init]
 * @returns {Promise<Answer>}
 */
export const request = async (url, init = {}) => toAnswer(await fetch(url, { ...init, redirect: 'manual' }));

/**
 * A protected resource request with a DPoP proof, made by the OAuth library.
 * @param {string} url
 * @param {string} token
 * @param {oauth.DPoPHandle} dpop
 * @returns {Promise<{ answer: Answer, sent: Record<string, string> }>} with the headers as sent, proof included
 */
export async function requestWithProof(url, token, dpop) {
  /** @type {Record<string, string>} */
  let sent = {};
  const options = {
    ...insecure,
    DPoP: dpop,
    /** @type {(url: string, init: any) => Promise<Response>} */
    [oauth.customFetch]: (target, init) => {
      sent = { ...init.headers };
      return fetch(target, init);
    },
  };
  try {
    const response = await oauth.protectedResourceRequest(
      token,
      'GET',
      new URL(url),
      undefined,
      null,
      options,
    );
    return { answer: await toAnswer(response), sent };
  } catch (error) {
    // The library throws where the answer is a challenge; the next request takes its nonce.
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
    return { answer: await toAnswer(error.response), sent };
  }
}

/**
 * A gRPC call over HTTP/2, as far as the gate sees one.
 * @param {string} origin
 * @param {string} path
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Answer>} trailers are among the headers
 */
export function grpcCall(origin, path, headers = {}) {
  return new Promise((resolve, reject) => {
    const session = connect(origin);
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    /** @type {Record<string, unknown>} */
    const received = {};
    const body = /** @type {Buffer[]} */ ([]);
    stream.on('response', (fields) => Object.assign(received, fields));
    stream.on('trailers', (fields) => Object.assign(received, fields));
    stream.on('data', (chunk) => body.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => {
      session.close();
      const fields = Object.entries(received).map(([name, value]) => [name, String(value)]);
      resolve({
        status: Number(received[':status']),
        headers: Object.fromEntries(fields),
        body: Buffer.concat(body).toString(),
      });
    });
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  });
}
