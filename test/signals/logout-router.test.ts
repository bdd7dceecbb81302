import { describe, expect, test } from '@jest/globals';
import { RevocationStoreUnavailableError } from '../../src/revocation/revocation-store.js';
import { createLogoutRouter } from '../../src/signals/logout-router.js';
import {
  createTestKey,
  ISSUER,
  mintToken,
  NOW_S,
  replaceSegment,
  type MintOptions,
} from '../support/tokens.js';
import { mintMessage, testEndpoint, type TestEndpoint } from './endpoints.js';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const stranger = createTestKey('ES256', 'ES256-1');

function logoutToken(claims: Record<string, unknown> = {}, options: MintOptions = {}): string {
  return mintMessage(
    { sub: 'u', sid: 's', exp: NOW_S + 120, events: { [EVENT]: {} }, ...claims },
    { ...options, header: { typ: 'logout+jwt', ...options.header } },
  );
}

async function send(
  { app }: TestEndpoint,
  body: string,
  headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' },
) {
  const response = await app.request('/logout/backchannel', { method: 'POST', body, headers });
  const text = await response.text();
  return { status: response.status, cache: response.headers.get('cache-control'), text };
}

const sendToken = (endpoint: TestEndpoint, token: string) =>
  send(endpoint, new URLSearchParams({ logout_token: token }).toString());

describe('POST /logout/backchannel', () => {
  test.each<[string, Record<string, unknown>, object]>([
    ['a session of a subject', {}, { kind: 'sid', value: 's', subject: 'u' }],
    ['a session', { sub: undefined }, { kind: 'sid', value: 's', subject: undefined }],
    ['a subject', { sid: undefined, iat: NOW_S - 5 }, { kind: 'sub', value: 'u', beforeS: NOW_S - 5 }],
    [
      'a subject, for several audiences',
      { sid: undefined, aud: ['other', 'gate'] },
      { kind: 'sub', value: 'u' },
    ],
    ['a session, sent an hour late', { iat: NOW_S - 3600 }, { kind: 'sid' }],
    ['a session, with claims that nobody knows', { extra: 1 }, { kind: 'sid' }],
  ])('ends %s', async (_, claims, expected) => {
    const endpoint = testEndpoint(createLogoutRouter);
    expect(await sendToken(endpoint, logoutToken(claims))).toEqual({
      status: 200,
      cache: 'no-store',
      text: '',
    });
    expect(endpoint.revoked).toMatchObject([{ issuer: ISSUER, source: 'logout', ...expected }]);
  });

  test.each([undefined, 'JWT', 'jwt', 'logout+jwt', 'application/logout+jwt'])(
    'accepts typ %s',
    async (typ) => {
      expect(
        (await sendToken(testEndpoint(createLogoutRouter), logoutToken({}, { header: { typ } }))).status,
      ).toBe(200);
    },
  );

  test.each<[string, string]>([
    ['no JWT', 'nonsense'],
    ['an empty one', ''],
    ['alg none', logoutToken({}, { header: { alg: 'none' } })],
    [
      'alg none without a signature',
      replaceSegment(logoutToken({}, { header: { alg: 'none' } }), 2, () => ''),
    ],
    ['an HMAC algorithm', logoutToken({}, { header: { alg: 'HS256' } })],
    ['a wrong signature', logoutToken({}, { key: stranger })],
    ['another payload', replaceSegment(logoutToken(), 1, () => logoutToken({ sub: 'v' }).split('.')[1]!)],
    ['an unknown key', logoutToken({}, { key: createTestKey('ES256', 'other') })],
    ['a key in the header', logoutToken({}, { key: stranger, header: { jwk: stranger.jwk } })],
    ['a critical extension', logoutToken({}, { header: { crit: ['x'], x: 1 } })],
    ['an access token', mintToken()],
    ['typ at+jwt', logoutToken({}, { header: { typ: 'at+jwt' } })],
    ['typ secevent+jwt', logoutToken({}, { header: { typ: 'secevent+jwt' } })],
    ['typ that is a number', logoutToken({}, { header: { typ: 1 } })],
    ['another issuer', logoutToken({ iss: 'https://other.example' })],
    ['no issuer', logoutToken({ iss: undefined })],
    ['another audience', logoutToken({ aud: 'other' })],
    ['no audience', logoutToken({ aud: undefined })],
    ['an audience that only begins like ours', logoutToken({ aud: 'gate2' })],
    ['no iat', logoutToken({ iat: undefined })],
    ['iat as text', logoutToken({ iat: '1' })],
    ['iat in the future', logoutToken({ iat: NOW_S + 60 })],
    ['iat of more than an hour ago', logoutToken({ iat: NOW_S - 3631 })],
    ['no exp', logoutToken({ exp: undefined })],
    ['exp as text', logoutToken({ exp: '9' })],
    ['exp in the past', logoutToken({ exp: NOW_S - 60 })],
    ['exp in a year', logoutToken({ exp: NOW_S + 31_536_000 })],
    ['no jti', logoutToken({ jti: undefined })],
    ['an empty jti', logoutToken({ jti: '' })],
    ['jti that is a number', logoutToken({ jti: 5 })],
    ['no events', logoutToken({ events: undefined })],
    ['events that is a list', logoutToken({ events: [EVENT] })],
    ['events that is a text', logoutToken({ events: EVENT })],
    ['events that is null', logoutToken({ events: null })],
    ['events without members', logoutToken({ events: {} })],
    ['another event', logoutToken({ events: { 'https://other.example/event': {} } })],
    ['an event that is a text', logoutToken({ events: { [EVENT]: '' } })],
    ['an event that is a list', logoutToken({ events: { [EVENT]: [] } })],
    ['an event that is null', logoutToken({ events: { [EVENT]: null } })],
    ['a nonce', logoutToken({ nonce: 'n' })],
    ['a nonce that is empty', logoutToken({ nonce: '' })],
    ['neither sub nor sid', logoutToken({ sub: undefined, sid: undefined })],
    ['sub that is a number', logoutToken({ sub: 5 })],
    ['an empty sid', logoutToken({ sid: '' })],
    ['sid that is a list', logoutToken({ sid: ['s'] })],
    ['a member twice', signedText('{"iss":"x","iss":"y"}')],
  ])('refuses %s', async (_, token) => {
    const endpoint = testEndpoint(createLogoutRouter);
    const { status, cache, text } = await sendToken(endpoint, token);
    expect([status, cache, JSON.parse(text).error]).toEqual([400, 'no-store', 'invalid_request']);
    expect(endpoint.revoked).toEqual([]);
    for (const part of token.split('.').filter((one) => one !== '')) expect(text).not.toContain(part);
  });

  test.each<[string, string, Record<string, string>]>([
    ['JSON', JSON.stringify({ logout_token: logoutToken() }), { 'content-type': 'application/json' }],
    ['a form of parts', 'logout_token=x', { 'content-type': 'multipart/form-data' }],
    ['no content type', `logout_token=${logoutToken()}`, { 'content-type': '' }],
    ['no token', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    [
      'two tokens',
      `logout_token=${logoutToken()}&logout_token=${logoutToken()}`,
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
  ])('refuses a body with %s', async (_, body, headers) => {
    const endpoint = testEndpoint(createLogoutRouter);
    expect((await send(endpoint, body, headers)).status).toBe(400);
    expect(endpoint.revoked).toEqual([]);
  });

  test('takes a jti once, also when two come at the same time', async () => {
    const endpoint = testEndpoint(createLogoutRouter);
    const token = logoutToken();
    const statuses = await Promise.all([sendToken(endpoint, token), sendToken(endpoint, token)]);
    expect(statuses.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect((await sendToken(endpoint, logoutToken({ sub: 'v' }))).status).toBe(400);
    expect((await sendToken(endpoint, logoutToken({ jti: 'message-2' }))).status).toBe(200);
  });

  test('a message that could not be taken may come again', async () => {
    const endpoint = testEndpoint(createLogoutRouter);
    endpoint.failure = new RevocationStoreUnavailableError('away');
    expect((await sendToken(endpoint, logoutToken())).status).toBe(503);
    endpoint.failure = undefined;
    endpoint.keys.unavailable = true;
    expect((await sendToken(endpoint, logoutToken())).status).toBe(503);
    endpoint.keys.unavailable = false;
    expect((await sendToken(endpoint, logoutToken())).status).toBe(200);
  });

  test('an unknown issuer asks for no keys', async () => {
    const endpoint = testEndpoint(createLogoutRouter);
    await sendToken(endpoint, logoutToken({ iss: 'https://other.example' }));
    expect(endpoint.keys.asked).toBe(0);
  });

  test('limits failures per address, and does not count what is good', async () => {
    const endpoint = testEndpoint(createLogoutRouter);
    for (let i = 0; i < 150; i++)
      expect((await sendToken(endpoint, logoutToken({ jti: `good-${i}` }))).status).toBe(200);
    const statuses: number[] = [];
    for (let i = 0; i < 101; i++) statuses.push((await sendToken(endpoint, 'bad')).status);
    expect([statuses.filter((status) => status === 400).length, statuses.at(-1)]).toEqual([100, 429]);
    endpoint.clock.nowMs += 60_000;
    expect((await sendToken(endpoint, 'bad')).status).toBe(400);
  });

  test('is not there as long as no issuer is configured', async () => {
    const endpoint = testEndpoint((options) => createLogoutRouter({ ...options, issuers: () => new Map() }));
    expect((await sendToken(endpoint, logoutToken())).status).toBe(404);
  });
});

function signedText(payload: string): string {
  return mintToken({ header: { typ: 'logout+jwt' }, rawPayload: payload });
}
