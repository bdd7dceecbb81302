import { isLoopbackHost } from '../../http/address-rules.js';
import { parseFetchUrl } from '../../http/url-rules.js';
import { SYMMETRIC_ALGORITHMS } from '../../jwk/types.js';
import { KeySourceError, parseStaticKeys } from '../../jwks/static-keys.js';
import { IS_FOLDER } from '../files.js';
import { type JwkSet, readJwkSet } from '../key-material.js';
import type { ConfigValue } from '../config-value.js';
import { type CheckContext, refuse } from './context.js';
import { checkIntrospection } from './introspection.js';
import { checkStaticKey } from './static-keys.js';

const KEY_SOURCES = ['discovery', 'jwksUri', 'jwks', 'keys', 'clientKeys'] as const;

/** Issuers against each other, and each one's keys against its algorithms. */
export function checkIssuers(ctx: CheckContext): void {
  const issuers = ctx.root.get('issuers');
  if (!issuers.exists && !ctx.root.get('tokens').exists)
    refuse(ctx, issuers, 'is required; it must be a list with at least one issuer');
  if (Array.isArray(issuers.value) && issuers.value.length === 0 && !ctx.root.get('tokens').exists)
    refuse(ctx, issuers, 'must be a list with at least one issuer, or tokens must be there');
  const seen = new Set<string>();
  for (const issuer of issuers.items()) {
    const name = issuer.get('issuer').text;
    if (name !== undefined && seen.has(name))
      refuse(ctx, issuer.get('issuer'), 'must be unique; another entry of issuers has the same one');
    if (name !== undefined) seen.add(name);
    checkKeySource(ctx, issuer);
    checkSecrets(ctx, issuer);
    checkUrls(ctx, issuer);
    for (const key of issuer.get('keys').items()) checkStaticKey(ctx, key);
    checkIntrospection(ctx, issuer);
    checkSignals(ctx, issuer);
    checkFolder(ctx, issuer.get('clientKeys').get('dir'));
  }
}

/** A folder that does not exist is misspelt: every token would be refused without a visible reason. */
function checkFolder(ctx: CheckContext, dir: ConfigValue): void {
  if (dir.text === undefined) return;
  const read = ctx.files.readText(dir.text);
  if ('problem' in read && read.problem === IS_FOLDER) return;
  const problem = 'problem' in read ? read.problem : 'is a file';
  refuse(ctx, dir, `must be an existing folder; what is named here ${problem}`);
}

/** A client that signs with its own key could end the sessions of all others. */
function checkSignals(ctx: CheckContext, issuer: ConfigValue): void {
  if (!issuer.get('clientKeys').exists) return;
  for (const name of ['logout', 'events']) {
    if (issuer.get(name).exists)
      refuse(
        ctx,
        issuer.get(name),
        'needs keys that only the issuer has; with clientKeys every client signs',
      );
  }
}

function checkKeySource(ctx: CheckContext, issuer: ConfigValue): void {
  const given = KEY_SOURCES.filter((source) => isGiven(issuer.get(source)));
  if (given.length > 1)
    refuse(ctx, issuer, `must have exactly one source of keys, and has ${given.join(' and ')}`);
  if (given.length === 0 && issuer.get('discovery').value === false) {
    refuse(ctx, issuer, `must have exactly one source of keys: one of ${KEY_SOURCES.join(', ')}`);
  }
  const jwks = issuer.get('jwks');
  if (!jwks.exists || (jwks.text === undefined && !jwks.get('keys').exists)) return;
  const set = readJwkSet(jwks.value, ctx.files);
  const problem = 'problem' in set ? set.problem : keySetProblem(set.value);
  if (problem !== undefined) refuse(ctx, jwks, problem);
}

/** Single keys of a set may be unusable, as in sets that are fetched; all of them may not. */
function keySetProblem(jwks: JwkSet): string | undefined {
  try {
    parseStaticKeys({ kind: 'jwks', jwks });
    return undefined;
  } catch (error) {
    if (error instanceof KeySourceError)
      return `must hold at least one usable public key: ${error.problems[0]?.message ?? ''}`;
    throw error;
  }
}

/** `discovery: false` says only that discovery is not wanted. */
function isGiven(source: ConfigValue): boolean {
  return source.exists && source.value !== false;
}

function checkSecrets(ctx: CheckContext, issuer: ConfigValue): void {
  const secrets = new Set(
    issuer
      .get('keys')
      .items()
      .filter((key) => key.get('secret').exists)
      .map((key) => key.get('alg').text),
  );
  for (const entry of issuer.get('algorithms').items()) {
    const isSymmetric = SYMMETRIC_ALGORITHMS.some((alg) => alg === entry.text);
    if (isSymmetric && !secrets.has(entry.text))
      refuse(ctx, entry, 'an HMAC algorithm needs an entry with alg and secret in keys');
  }
  const algorithms = issuer.get('algorithms').texts();
  for (const key of issuer.get('keys').items()) {
    const alg = key.get('alg');
    if (alg.text !== undefined && algorithms.length > 0 && !algorithms.includes(alg.text))
      refuse(ctx, alg, 'must be one of the algorithms of this issuer, or the key is never used');
  }
}

function checkUrls(ctx: CheckContext, issuer: ConfigValue): void {
  const allowHttp = ctx.root.get('jwks').get('allowHttp').value === true;
  for (const name of ['issuer', 'discovery', 'jwksUri'] as const) {
    const node = issuer.get(name);
    const url = node.text !== undefined && URL.canParse(node.text) ? new URL(node.text) : undefined;
    if (url === undefined) continue;
    if (url.protocol === 'http:' && !allowHttp && !isLoopbackHost(url.hostname)) {
      refuse(ctx, node, 'must be https; plain http only to loopback hosts, or with jwks.allowHttp');
    } else if (name !== 'issuer' || isDiscovered(issuer)) checkFetchable(ctx, node);
  }
}

function isDiscovered(issuer: ConfigValue): boolean {
  return issuer.get('discovery').value === true || !KEY_SOURCES.some((source) => isGiven(issuer.get(source)));
}

/** The client refuses such a URL as well, but only while serving. */
function checkFetchable(ctx: CheckContext, node: ConfigValue): void {
  if (node.path.at(-1) === 'issuer' && node.text?.includes('?') === true)
    refuse(ctx, node, 'must have no query where keys come through discovery');
  try {
    parseFetchUrl(node.text ?? '', { allowHttp: true });
  } catch {
    refuse(
      ctx,
      node,
      'must be a URL that may be fetched: no unspecified, link-local, multicast or cloud metadata address',
    );
  }
}
