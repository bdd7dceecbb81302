import { describe, expect, test } from '@jest/globals';
import { createContext } from '../../../src/authz/pipeline.js';
import { createRouter } from '../../../src/authz/routes.js';
import { createSelectPolicyStage } from '../../../src/authz/stages/select-policy.js';
import { authzRequest, denialOf, NOW_MS, policyOf, type RequestParts } from '../contexts.js';

const policies = new Map(['default', 'a', 'b', 'c'].map((name) => [name, policyOf({ name })]));
const authorities = {
  'orders.portcullis.internal': 'b',
  'Ported.internal:9191': 'c',
  'broken.internal': 'gone',
};
const router = createRouter([
  { paths: ['/a/{id}'], policy: policies.get('a')! },
  { methods: ['GET'], paths: ['/c'], policy: policies.get('c')! },
]);

function select(parts: RequestParts, withRoutes = true): unknown {
  const stage = createSelectPolicyStage({ policies, authorities, router: withRoutes ? router : undefined });
  const ctx = createContext(authzRequest(parts), NOW_MS);
  const denial = denialOf(() => stage.run(ctx));
  return denial === 'passed' ? `${ctx.match!.source} ${ctx.match!.policy.name}` : denial;
}

describe('createSelectPolicyStage()', () => {
  test.each<[string, RequestParts, string]>([
    [
      'the extension first',
      {
        path: '/a/1',
        extensions: { 'portcullis.policy': 'b' },
        callPolicy: 'c',
        callAuthority: 'orders.portcullis.internal',
      },
      'extension b',
    ],
    [
      'metadata second',
      { path: '/a/1', callPolicy: 'c', callAuthority: 'orders.portcullis.internal' },
      'metadata c',
    ],
    ['the authority third', { path: '/a/1', callAuthority: 'orders.portcullis.internal' }, 'authority b'],
    ['routes last', { path: '/a/1', callAuthority: 'else.internal' }, 'route a'],
    [
      'an authority without case, dot and port',
      { callAuthority: 'ORDERS.portcullis.internal.:50051' },
      'authority b',
    ],
    ['an authority with its port', { callAuthority: 'ported.internal:9191' }, 'authority c'],
    ['an authority with another port', { path: '/a/1', callAuthority: 'ported.internal:9192' }, 'route a'],
    ['an authority without its port', { path: '/a/1', callAuthority: 'ported.internal' }, 'route a'],
    ['an authority that is __proto__', { path: '/a/1', callAuthority: '__proto__' }, 'route a'],
    [
      'an authority with an unknown policy',
      { path: '/a/1', callAuthority: 'broken.internal' },
      'unknown_policy',
    ],
    ['an unknown extension', { path: '/a/1', extensions: { 'portcullis.policy': 'gone' } }, 'unknown_policy'],
    ['an empty extension', { path: '/a/1', extensions: { 'portcullis.policy': '' } }, 'unknown_policy'],
    [
      'an extension in other case',
      { path: '/a/1', extensions: { 'portcullis.policy': 'A' } },
      'unknown_policy',
    ],
    [
      'an extension that is __proto__',
      { path: '/a/1', extensions: { 'portcullis.policy': '__proto__' } },
      'unknown_policy',
    ],
    ['another extension', { path: '/a/1', extensions: { policy: 'b' } }, 'route a'],
    ['unknown metadata', { path: '/a/1', callPolicy: 'gone' }, 'unknown_policy'],
    ['empty metadata', { path: '/a/1', callPolicy: '' }, 'unknown_policy'],
    ['no route', { path: '/x' }, 'no_route'],
    ['an ambiguous path', { path: '/a//1' }, 'ambiguous_path'],
    [
      'an ambiguous path where Envoy chose',
      { path: '/a//1', extensions: { 'portcullis.policy': 'b' } },
      'extension b',
    ],
    ['CONNECT', { method: 'CONNECT', path: '' }, 'no_route'],
  ])('%s', (_, parts, expected) => {
    expect(select(parts)).toBe(expected);
  });

  test.each<[string, RequestParts, string]>([
    ['default', { path: '/x' }, 'default default'],
    ['an ambiguous path', { path: '/a/..//;' }, 'default default'],
    ['CONNECT', { method: 'CONNECT', path: '' }, 'default default'],
    ['Envoy before default', { callPolicy: 'a' }, 'metadata a'],
  ])('without routes: %s', (_, parts, expected) => {
    expect(select(parts, false)).toBe(expected);
  });

  test('gives params and whether methods are limited', () => {
    const stage = createSelectPolicyStage({ policies, authorities, router });
    const ctx = createContext(authzRequest({ path: '/a/7' }), NOW_MS);
    expect(stage.run(ctx)).toBeUndefined();
    expect({ ...ctx.match!.params }).toEqual({ id: '7' });
    const untrue = createContext(authzRequest({ path: '/a/7', hasTrueTarget: false }), NOW_MS);
    expect(denialOf(() => stage.run(untrue))).toBe('ambiguous_path');
  });
});
