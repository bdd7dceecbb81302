import { describe, expect, test } from '@jest/globals';
import { Hono } from 'hono';
import { clientAddressOf, findClientAddress, rateLimitKeyOf } from '../../src/web/client-address.js';

/** Asks an app that answers with the address it found. */
async function addressOf(
  socket: string | undefined,
  forwarded?: string,
  trusted: string[] = [],
): Promise<string> {
  const app = new Hono();
  app.use(findClientAddress(() => trusted));
  app.get('/', (c) => c.text(clientAddressOf(c)));
  const headers: Record<string, string> = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const env =
    socket === undefined ? {} : { incoming: { socket: { remoteAddress: socket, remoteFamily: 'IPv4' } } };
  return (await app.request('/', { headers }, env)).text();
}

describe('clientAddressOf()', () => {
  test.each<[string, string | undefined, string | undefined, string[], string]>([
    ['the socket', '192.0.2.1', undefined, [], '192.0.2.1'],
    ['an IPv4-mapped socket', '::ffff:192.0.2.1', undefined, [], '192.0.2.1'],
    ['a link-local socket with a zone', 'fe80::1%eth0', undefined, [], 'fe80::1'],
    ['no header of a stranger', '192.0.2.1', '10.1.1.1', [], '192.0.2.1'],
    ['no header of a peer outside the list', '192.0.2.1', '10.1.1.1', ['192.0.2.2'], '192.0.2.1'],
    ['the hop before a trusted proxy', '10.0.0.1', '198.51.100.7', ['10.0.0.0/8'], '198.51.100.7'],
    [
      'the right-most hop, not what the client wrote',
      '10.0.0.1',
      '1.1.1.1, 198.51.100.7',
      ['10.0.0.0/8'],
      '198.51.100.7',
    ],
    [
      'the hop before two proxies',
      '10.0.0.1',
      '1.1.1.1, 198.51.100.7, 10.2.2.2',
      ['10.0.0.0/8'],
      '198.51.100.7',
    ],
    ['the left-most of trusted ones alone', '10.0.0.1', '10.3.3.3, 10.2.2.2', ['10.0.0.0/8'], '10.3.3.3'],
    ['the proxy where it names nobody', '10.0.0.1', 'unknown', ['10.0.0.0/8'], '10.0.0.1'],
    ['the proxy where the header is empty', '10.0.0.1', '', ['10.0.0.0/8'], '10.0.0.1'],
    ['a hop with a port', '10.0.0.1', '198.51.100.7:4711', ['10.0.0.0/8'], '198.51.100.7'],
    ['an IPv6 hop with brackets and port', '10.0.0.1', '[2001:db8::1]:443', ['10.0.0.1'], '2001:db8::1'],
    ['an IPv6 proxy', 'fd00::1', '2001:DB8:0::1', ['fd00::/8'], '2001:db8::1'],
    ['a mapped socket of an IPv4 proxy', '::ffff:10.0.0.1', '198.51.100.7', ['10.0.0.0/8'], '198.51.100.7'],
    ['no octal spelling', '10.0.0.1', '0300.0.2.1', ['10.0.0.0/8'], '10.0.0.1'],
    ['nobody without a socket', undefined, '198.51.100.7', ['0.0.0.0/0'], 'unknown'],
  ])('is %s', async (_name, socket, forwarded, trusted, expected) => {
    expect(await addressOf(socket, forwarded, trusted)).toBe(expected);
  });

  test('reads a bounded number of hops', async () => {
    const hops = `198.51.100.7, ${Array<string>(5000).fill('10.2.2.2').join(', ')}`;
    expect(await addressOf('10.0.0.1', hops, ['10.0.0.0/8'])).toBe('10.2.2.2');
  });

  test('is the socket where the middleware is not mounted', async () => {
    const app = new Hono();
    app.get('/', (c) => c.text(clientAddressOf(c)));
    const env = { incoming: { socket: { remoteAddress: '::ffff:192.0.2.1' } } };
    expect(await (await app.request('/', {}, env)).text()).toBe('192.0.2.1');
  });
});

describe('rateLimitKeyOf()', () => {
  test.each([
    ['an IPv4 address by itself', '192.0.2.1', '192.0.2.1'],
    ['an IPv6 address by its /64', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['an IPv4-mapped address as IPv4', '::ffff:192.0.2.1', '192.0.2.1'],
    ['what is no address as one client', 'nonsense', 'unknown'],
  ])('counts %s', (_name, address, key) => expect(rateLimitKeyOf(address)).toBe(key));
});
