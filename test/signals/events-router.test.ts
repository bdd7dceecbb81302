import { describe, expect, test } from '@jest/globals';
import { createEventsRouter } from '../../src/signals/events-router.js';
import { createTestKey, ISSUER, NOW_S, replaceSegment, type MintOptions } from '../support/tokens.js';
import { mintMessage, testEndpoint, type TestEndpoint } from './endpoints.js';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const REVOKED = `${CAEP}session-revoked`;
const OTHER = 'https://other.example';
const BY_ISS_SUB = { format: 'iss_sub', iss: ISSUER, sub: 'u' };

function set(claims: Record<string, unknown> = {}, options: MintOptions = {}): string {
  return mintMessage(
    { sub_id: BY_ISS_SUB, events: { [REVOKED]: {} }, ...claims },
    { ...options, header: { typ: 'secevent+jwt', ...options.header } },
  );
}

function createEndpoint(): TestEndpoint & { readonly counted: string[] } {
  const counted: string[] = [];
  const endpoint = testEndpoint((options) =>
    createEventsRouter({ ...options, counted: (_, event) => void counted.push(event) }),
  );
  return Object.assign(endpoint, { counted });
}

async function send({ app }: TestEndpoint, body: string, type = 'application/secevent+jwt') {
  const response = await app.request('/events', { method: 'POST', body, headers: { 'content-type': type } });
  return { status: response.status, text: await response.text() };
}

const user = { kind: 'sub', value: 'u', issuer: ISSUER, beforeS: NOW_S, source: 'event' };
const session = { kind: 'sid', value: 's', issuer: ISSUER, source: 'event' };
const COMPLEX = { format: 'complex', user: BY_ISS_SUB, session: { format: 'opaque', id: 's' } };

describe('POST /events', () => {
  test.each<[string, Record<string, unknown>, object[], string[]]>([
    ['session-revoked of a user', {}, [user], ['session-revoked']],
    [
      'session-revoked of a session',
      { sub_id: COMPLEX },
      [{ ...session, subject: 'u' }],
      ['session-revoked'],
    ],
    [
      'session-revoked of a session alone',
      { sub_id: { format: 'complex', session: { format: 'opaque', id: 's' } } },
      [{ ...session, subject: undefined }],
      ['session-revoked'],
    ],
    [
      'credential-change of a user in a session',
      { sub_id: COMPLEX, events: { [`${CAEP}credential-change`]: { change_type: 'update' } } },
      [user],
      ['credential-change'],
    ],
    ['account-disabled', { events: { [`${RISC}account-disabled`]: {} } }, [user], ['account-disabled']],
    ['account-purged', { events: { [`${RISC}account-purged`]: {} } }, [user], ['account-purged']],
    ['sessions-revoked', { events: { [`${RISC}sessions-revoked`]: {} } }, [user], ['sessions-revoked']],
    [
      'a subject in the event',
      { sub_id: undefined, events: { [REVOKED]: { subject: { format: 'opaque', id: 'u' } } } },
      [user],
      ['session-revoked'],
    ],
    [
      'a complex subject without its format',
      { sub_id: undefined, events: { [REVOKED]: { subject: { user: BY_ISS_SUB } } } },
      [user],
      ['session-revoked'],
    ],
    ['an unknown event', { events: { 'https://a.example/x': {} }, sub_id: undefined }, [], ['unknown']],
    [
      'a known and an unknown one',
      { events: { 'https://a.example/x': {}, [REVOKED]: {} } },
      [user],
      ['unknown', 'session-revoked'],
    ],
    [
      'a subject that is no token’s',
      { sub_id: { format: 'email', email: 'a@b.c' } },
      [],
      ['session-revoked'],
    ],
    [
      'the name of a user among others',
      {
        sub_id: {
          format: 'aliases',
          identifiers: [
            { format: 'email', email: 'a@b.c' },
            { ...BY_ISS_SUB, iss: OTHER, sub: 'x' },
            BY_ISS_SUB,
          ],
        },
      },
      [user],
      ['session-revoked'],
    ],
    [
      'names of which none is ours',
      { sub_id: { format: 'aliases', identifiers: [{ format: 'phone_number', phone_number: '+1' }] } },
      [],
      ['session-revoked'],
    ],
    [
      'an event that was issued long ago',
      { iat: NOW_S - 86_400 },
      [{ ...user, beforeS: NOW_S - 86_400 }],
      ['session-revoked'],
    ],
    ['several audiences', { aud: ['x', 'gate'] }, [user], ['session-revoked']],
  ])('takes %s', async (_, claims, revoked, counted) => {
    const endpoint = createEndpoint();
    expect(await send(endpoint, set(claims))).toEqual({ status: 202, text: '' });
    expect(endpoint.revoked).toEqual(revoked.map((one) => expect.objectContaining(one)));
    expect(endpoint.counted).toEqual(counted);
  });

  test.each<[string, string, string]>([
    ['no JWT', 'nonsense', 'invalid_request'],
    ['no typ', set({}, { header: { typ: undefined } }), 'invalid_request'],
    ['typ JWT', set({}, { header: { typ: 'JWT' } }), 'invalid_request'],
    ['typ logout+jwt', set({}, { header: { typ: 'logout+jwt' } }), 'invalid_request'],
    ['alg none', set({}, { header: { alg: 'none' } }), 'invalid_key'],
    ['an unknown key', set({}, { key: createTestKey('ES256', 'other') }), 'invalid_key'],
    ['a wrong signature', set({}, { key: createTestKey('ES256', 'ES256-1') }), 'authentication_failed'],
    [
      'another payload',
      replaceSegment(set(), 1, () => set({ jti: 'x' }).split('.')[1]!),
      'authentication_failed',
    ],
    ['another issuer', set({ iss: OTHER }), 'invalid_issuer'],
    ['no issuer', set({ iss: undefined }), 'invalid_issuer'],
    ['another audience', set({ aud: OTHER }), 'invalid_audience'],
    ['no audience', set({ aud: undefined }), 'invalid_audience'],
    ['no iat', set({ iat: undefined }), 'invalid_request'],
    ['iat in the future', set({ iat: NOW_S + 60 }), 'invalid_request'],
    ['exp in the past', set({ exp: NOW_S - 60 }), 'invalid_request'],
    ['no jti', set({ jti: undefined }), 'invalid_request'],
    ['no events', set({ events: undefined }), 'invalid_request'],
    ['events without members', set({ events: {} }), 'invalid_request'],
    ['events that is a list', set({ events: [REVOKED] }), 'invalid_request'],
    ['an event that is a text', set({ events: { [REVOKED]: 'x' } }), 'invalid_request'],
    ['no subject', set({ sub_id: undefined }), 'invalid_request'],
    ['a subject that is a text', set({ sub_id: 'u' }), 'invalid_request'],
    ['a subject without a format', set({ sub_id: { iss: ISSUER, sub: 'u' } }), 'invalid_request'],
    ['a subject of an unknown format', set({ sub_id: { format: 'nope', x: 1 } }), 'invalid_request'],
    [
      'a user of an unknown format',
      set({ sub_id: { ...COMPLEX, user: { format: 'x' } } }),
      'invalid_request',
    ],
    ['a session without a format', set({ sub_id: { ...COMPLEX, session: { id: 's' } } }), 'invalid_request'],
    ['aliases without a list', set({ sub_id: { format: 'aliases' } }), 'invalid_request'],
    ['aliases that are empty', set({ sub_id: { format: 'aliases', identifiers: [] } }), 'invalid_request'],
    [
      'aliases within aliases',
      set({ sub_id: { format: 'aliases', identifiers: [{ format: 'aliases', identifiers: [BY_ISS_SUB] }] } }),
      'invalid_request',
    ],
    ['a subject without its sub', set({ sub_id: { format: 'iss_sub', iss: ISSUER } }), 'invalid_request'],
    ['a subject of another issuer', set({ sub_id: { ...BY_ISS_SUB, iss: OTHER } }), 'invalid_request'],
    [
      'a complex subject with a user of another issuer',
      set({ sub_id: { ...COMPLEX, user: { ...BY_ISS_SUB, iss: OTHER } } }),
      'invalid_request',
    ],
    [
      'one good event and one of another issuer',
      set({
        events: { [REVOKED]: {}, [`${RISC}account-disabled`]: { subject: { ...BY_ISS_SUB, iss: OTHER } } },
      }),
      'invalid_request',
    ],
  ])('refuses %s', async (_, token, err) => {
    const endpoint = createEndpoint();
    const { status, text } = await send(endpoint, token);
    expect([status, JSON.parse(text)]).toEqual([400, { err, description: expect.any(String) }]);
    expect([endpoint.revoked, endpoint.counted]).toEqual([[], []]);
  });

  test.each(['application/json', 'application/jwt', '', 'application/x-www-form-urlencoded'])(
    'refuses the content type "%s"',
    async (type) => {
      const endpoint = createEndpoint();
      const { status, text } = await send(endpoint, set(), type);
      expect([status, JSON.parse(text).err]).toEqual([400, 'invalid_request']);
    },
  );

  test('says of one that comes again that it arrived, and does nothing', async () => {
    const endpoint = createEndpoint();
    for (let i = 0; i < 2; i++) expect((await send(endpoint, set())).status).toBe(202);
    expect(endpoint.revoked).toHaveLength(1);
  });

  test('limits failures per address', async () => {
    const endpoint = createEndpoint();
    for (let i = 0; i < 100; i++) await send(endpoint, 'bad');
    expect((await send(endpoint, set())).status).toBe(429);
  });
});
