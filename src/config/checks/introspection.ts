import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { isLoopbackHost } from '../../http/address-rules.js';
import { parseFetchUrl } from '../../http/url-rules.js';
import type { ConfigValue } from '../config-value.js';
import { readClientKey, readPem } from '../key-material.js';
import { type CheckContext, refuse } from './context.js';

/** What each way of authentication needs; nothing else may be given. */
const NEEDS: Readonly<Record<string, 'clientSecret' | 'key' | 'tls'>> = {
  client_secret_basic: 'clientSecret',
  client_secret_post: 'clientSecret',
  private_key_jwt: 'key',
  tls_client_auth: 'tls',
};

/** `introspection` of one issuer: the endpoint may be asked, the client can authenticate, and its prefix is its own. */
export function checkIntrospection(ctx: CheckContext, issuer: ConfigValue): void {
  const introspection = issuer.get('introspection');
  if (!introspection.exists) return;
  checkCredential(ctx, introspection);
  checkEndpoint(ctx, introspection.get('endpoint'));
  checkPrefix(ctx, introspection.get('tokenPrefix'));
  if (!introspection.get('endpoint').exists && issuer.get('issuer').text?.includes('?') === true)
    refuse(
      ctx,
      introspection,
      'needs an endpoint, since metadata cannot be found from an issuer with a query',
    );
}

function checkCredential(ctx: CheckContext, introspection: ConfigValue): void {
  const method = introspection.get('auth').text ?? 'client_secret_basic';
  const needed = NEEDS[method];
  if (needed === undefined) return;
  if (!introspection.get(needed).exists)
    refuse(ctx, introspection.get(needed), `is required; auth is ${method}`);
  for (const name of new Set(Object.values(NEEDS))) {
    if (name !== needed && introspection.get(name).exists)
      refuse(ctx, introspection.get(name), `is not used; auth is ${method}`);
  }
  if (needed === 'key') checkKey(ctx, introspection.get('key'));
  if (needed === 'tls') checkCertificate(ctx, introspection.get('tls'));
}

function checkKey(ctx: CheckContext, key: ConfigValue): void {
  if (!key.exists) return;
  const read = readClientKey(key.value, ctx.files);
  if ('problem' in read) refuse(ctx, key, read.problem);
}

function checkCertificate(ctx: CheckContext, tls: ConfigValue): void {
  const [cert, key] = (['cert', 'key'] as const).map((name) => {
    const node = tls.get(name);
    const read = node.text === undefined ? undefined : readPem(node.text, ctx.files);
    if (read !== undefined && 'problem' in read) refuse(ctx, node, read.problem);
    return read !== undefined && 'value' in read ? read.value : undefined;
  });
  if (cert === undefined || key === undefined) return;
  const problem = pairProblem(cert, key);
  if (problem !== undefined) refuse(ctx, tls, problem);
}

function pairProblem(cert: string, key: string): string | undefined {
  try {
    const shown = new X509Certificate(cert).publicKey;
    return shown.equals(createPublicKey(createPrivateKey(key)))
      ? undefined
      : 'must be a certificate and its private key; these do not belong together';
  } catch {
    return 'must be a PEM certificate and its PEM private key';
  }
}

function checkEndpoint(ctx: CheckContext, endpoint: ConfigValue): void {
  const url = endpoint.text !== undefined && URL.canParse(endpoint.text) ? new URL(endpoint.text) : undefined;
  if (url === undefined) return;
  const allowHttp = ctx.root.get('jwks').get('allowHttp').value === true;
  if (url.protocol === 'http:' && !allowHttp && !isLoopbackHost(url.hostname)) {
    refuse(ctx, endpoint, 'must be https; plain http only to loopback hosts, or with jwks.allowHttp');
    return;
  }
  try {
    parseFetchUrl(url.href, { allowHttp: true });
  } catch {
    refuse(
      ctx,
      endpoint,
      'must be a URL that may be asked: no unspecified, link-local, multicast or cloud metadata address',
    );
  }
}

function checkPrefix(ctx: CheckContext, prefix: ConfigValue): void {
  if (prefix.text === undefined) return;
  const same = ctx.root
    .get('issuers')
    .items()
    .filter((issuer) => issuer.get('introspection').get('tokenPrefix').text === prefix.text);
  if (same.length > 1) refuse(ctx, prefix, 'must be unique; another issuer has the same one');
}
