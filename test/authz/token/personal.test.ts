import { expect, test } from '@jest/globals';
import { createPersonalKind, type PersonalTokenAnswer } from '../../../src/authz/token/personal.js';
import { NOW_MS } from '../../support/tokens.js';

function kindThatAnswers(answer: PersonalTokenAnswer) {
  return createPersonalKind({
    issuer: 'https://gate.example.com',
    isPersonal: (token) => token.startsWith('pat_'),
    ask: () => Promise.resolve(answer),
    rules: {
      audiences: new Set(['https://api.example.com']),
      clockToleranceMs: 0,
      maxLifetimeMs: Infinity,
    } as never,
    section: 'section',
  });
}

test.each<[string, PersonalTokenAnswer]>([
  ['a refusal', { refused: 'revoked_token' }],
  ['an acceptance', { claims: { client_id: 'robot' } }],
])(
  'createPersonalKind() keeps %s for a second only, so that revoke and restore reach it',
  async (_name, answer) => {
    const presented = { token: 'pat_x', hash: 'hash', issuer: '' };
    expect(await kindThatAnswers(answer).verify(presented, NOW_MS)).toMatchObject({
      keepUntilMs: NOW_MS + 1000,
    });
  },
);
