import { createPrivateKey, X509Certificate } from 'node:crypto';
import { authorityKey } from '../../authz/host.js';
import { addressesCollide, DEFAULT_ADDRESSES, parseAddress } from '../address.js';
import { readPem } from '../key-material.js';
import type { ConfigValue } from '../config-value.js';
import { type CheckContext, refuse } from './context.js';

/** Ports against each other, and the TLS files. */
export function checkServer(ctx: CheckContext): void {
  checkAddresses(ctx);
  checkAuthorities(ctx);
  const server = ctx.root.get('server');
  for (const name of ['tls', 'publicTls']) checkTls(ctx, server.get(name), name);
  checkTls(ctx, server.get('http').get('tls'), 'http.tls');
}

function checkAddresses(ctx: CheckContext): void {
  const server = ctx.root.get('server');
  const taken: { name: string; address: ReturnType<typeof parseAddress> }[] = [];
  const ports: [name: string, node: ConfigValue, fallback: string | undefined][] = [
    ...Object.entries(DEFAULT_ADDRESSES).map(([name, fallback]): (typeof ports)[number] => [
      name,
      server.get(name),
      fallback,
    ]),
    ['http.address', server.get('http').get('address'), undefined],
  ];
  for (const [name, node, fallback] of ports) {
    const text = node.exists ? node.text : fallback;
    const address = text === undefined ? undefined : parseAddress(text);
    const other = taken.find(
      (one) => one.address !== undefined && address !== undefined && addressesCollide(one.address, address),
    );
    if (name !== 'grpc' && address?.kind === 'unix')
      refuse(ctx, node, 'must be host:port; only server.grpc may be a unix socket');
    if (other !== undefined) refuse(ctx, node, `must not be the address of server.${other.name}`);
    taken.push({ name, address });
  }
}

/** Two spellings of one authority would make the choice of its policy a matter of order. */
function checkAuthorities(ctx: CheckContext): void {
  const authorities = ctx.root.get('server').get('authorities');
  const seen = new Set<string>();
  for (const name of authorities.keys()) {
    const key = authorityKey(name, { withPort: true });
    if (seen.has(key))
      refuse(ctx, authorities.get(name), 'is given twice; authorities compare without case and final dot');
    seen.add(key);
  }
}

function checkTls(ctx: CheckContext, tls: ConfigValue, name: string): void {
  const certificate = load(
    ctx,
    tls.get('cert'),
    'a PEM certificate chain',
    (pem) => new X509Certificate(pem),
  );
  const key = load(ctx, tls.get('key'), 'a PEM private key without passphrase', createPrivateKey);
  load(ctx, tls.get('clientCa'), 'a PEM certificate', (pem) => new X509Certificate(pem));
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    refuse(ctx, tls.get('key'), `must be the private key of server.${name}.cert`);
  }
}

function load<T>(
  ctx: CheckContext,
  node: ConfigValue,
  what: string,
  parse: (pem: string) => T,
): T | undefined {
  if (node.text === undefined || node.text === '') return undefined;
  const pem = readPem(node.text, ctx.files);
  if ('problem' in pem) {
    refuse(ctx, node, pem.problem);
    return undefined;
  }
  try {
    return parse(pem.value);
  } catch {
    refuse(ctx, node, `must be ${what}`);
    return undefined;
  }
}
