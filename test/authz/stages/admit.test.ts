import { describe, expect, test } from '@jest/globals';
import { createAdmitStage } from '../../../src/authz/stages/admit.js';
import { checkContext, denialOf, policyOf, type ContextParts } from '../contexts.js';

const stage = createAdmitStage({ queryParameters: ['access_token'] });
const anonymous = policyOf({ access: 'anonymous' });
const preflight = policyOf({ corsPreflight: true });
const CORS = { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' };

describe('createAdmitStage()', () => {
  test.each<[string, ContextParts, 'done' | undefined]>([
    ['anonymous', { policy: anonymous }, 'done'],
    ['anonymous, with a credential', { policy: anonymous, headers: { authorization: 'Bearer' } }, 'done'],
    ['optional', { policy: policyOf({ access: 'optional' }) }, undefined],
    ['required', {}, undefined],
    ['a preflight', { policy: preflight, method: 'OPTIONS', headers: CORS }, 'done'],
    ['a preflight that nobody allows', { method: 'OPTIONS', headers: CORS }, undefined],
    ['another method', { policy: preflight, method: 'GET', headers: CORS }, undefined],
    ['the method in lower case', { policy: preflight, method: 'options', headers: CORS }, undefined],
    ['no origin', { policy: preflight, method: 'OPTIONS', headers: { ...CORS, origin: '' } }, undefined],
    ['OPTIONS alone', { policy: preflight, method: 'OPTIONS', headers: { origin: 'x' } }, undefined],
    [
      'an override header',
      { policy: preflight, method: 'POST', headers: { ...CORS, 'x-http-method-override': 'OPTIONS' } },
      undefined,
    ],
  ])('%s', (_, parts, expected) => {
    expect(stage.run(checkContext(parts))).toBe(expected);
  });

  test.each<[string, ContextParts]>([
    ['anonymous', { policy: anonymous }],
    ['required', {}],
    ['a preflight', { policy: preflight, method: 'OPTIONS', headers: CORS }],
  ])('refuses a token parameter that is spelled oddly: %s', (_, parts) => {
    const ctx = checkContext({ ...parts, query: 'access%5Ftoken=x' });
    expect(denialOf(() => stage.run(ctx))).toBe('ambiguous_token_parameter');
  });
});
