import type { LookupAddress, LookupOptions } from 'node:dns';
import { describe, expect, test } from '@jest/globals';
import { createCheckedLookup, systemResolveHost } from '../../src/http/checked-lookup.js';

interface Answer {
  error: Error | null;
  address: string | LookupAddress[];
  family: number | undefined;
}

const ask = (hostname: string, addresses: string[], options: LookupOptions): Promise<Answer> =>
  new Promise((resolve) => {
    const lookup = createCheckedLookup(async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
    lookup(hostname, options, (error, address, family) => resolve({ error, address, family }));
  });

describe('createCheckedLookup()', () => {
  const mixed = ['169.254.169.254', '10.0.0.1', 'fe80::1', 'fd00::1'];

  test.each<[string, LookupOptions, Partial<Answer>]>([
    ['one address', {}, { address: '10.0.0.1', family: 4 }],
    ['one of IPv6', { family: 6 }, { address: 'fd00::1', family: 6 }],
    ['one of IPv6, in words', { family: 'IPv6' }, { address: 'fd00::1', family: 6 }],
    [
      'all',
      { all: true },
      {
        address: [
          { address: '10.0.0.1', family: 4 },
          { address: 'fd00::1', family: 6 },
        ],
      },
    ],
    ['all of IPv4', { all: true, family: 'IPv4' }, { address: [{ address: '10.0.0.1', family: 4 }] }],
  ])('asked for %s leaves out the forbidden ones', async (_name, options, expected) => {
    expect(await ask('issuer.test', mixed, options)).toMatchObject({ error: null, ...expected });
  });

  test('fails where none is left', async () => {
    const { error } = await ask('issuer.test', ['169.254.169.254'], { all: true });
    expect(error).toMatchObject({ name: 'HttpError', code: 'forbidden_address' });
  });

  test('keeps localhost to the loopback', async () => {
    const { address } = await ask('localhost', ['10.0.0.1', '127.0.0.1', '93.184.216.34', '::1'], {
      all: true,
    });
    expect(address).toEqual([
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]);
  });
});

describe('systemResolveHost()', () => {
  test('knows localhost', async () => {
    expect((await systemResolveHost('localhost')).length).toBeGreaterThan(0);
  });
});
