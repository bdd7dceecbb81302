import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { silentLogger, type Clock } from '../../src/ports.js';
import {
  MAX_LIST_ENTRIES,
  StoreUnavailableError,
  TokenListFullError,
  type TokenQuery,
  type TokenRecord,
  type TokenStore,
} from '../../src/token-service/store.js';
import { openTokenStore, type TokenStoreSettings } from '../../src/token-service/stores/open-token-store.js';
import { ensureBuilt } from '../support/ensure-built.mjs';
import { until } from '../support/until.js';

/** A database that the suite runs against. */
export interface StoreFixture {
  /** How a store reaches it; undefined: `open` makes stores that no other process can reach. */
  readonly settings?: TokenStoreSettings;
  readonly open?: (clock: Clock) => TokenStore;
  /** Takes the database away. */
  readonly takeAway?: () => Promise<void>;
  /** Brings it back with its data, or without. */
  readonly bringBack?: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

const NOW_S = 1_700_000_000;
const clock = { nowMs: NOW_S * 1000, now: () => clock.nowMs };
const WRITER = fileURLToPath(new URL('./store-writer.mjs', import.meta.url));

/** @returns a record with what a test says of it */
export function tokenRecord(tokenId: string, over: Partial<TokenRecord> = {}): TokenRecord {
  return {
    tokenId,
    owner: 'ann@example.com',
    isAdmin: false,
    roles: [],
    scopes: [],
    createdAt: NOW_S,
    secretPhc: `$scrypt$ln=15,r=8,p=1$${tokenId}$hash`,
    ...over,
  };
}

/** What every store has to do, shown on a real one. */
export function describeStore(name: string, start: () => Promise<StoreFixture>): void {
  describe(`${name}: TokenStore`, () => {
    let fixture: StoreFixture;
    let store: TokenStore;
    let run = 0;
    const opened: TokenStore[] = [];

    const open = async (): Promise<TokenStore> => {
      const { settings } = fixture;
      const one =
        settings === undefined
          ? fixture.open!(clock)
          : await openTokenStore(settings, { clock, logger: silentLogger });
      opened.push(one);
      return one;
    };
    /** Tests share a database: each has tokenIds and owners of its own. */
    const id = (rest: string): string => `t${String(run).padStart(3, '0')}-${rest}`;
    const insert = async (...records: TokenRecord[]): Promise<void> => {
      for (const record of records) expect(await store.insert(record)).toBe(true);
    };
    const listed = async (query: Partial<TokenQuery>): Promise<string[]> => {
      const records = await store.list({ limit: 100, owner: id('owner'), ...query });
      return records.map(({ tokenId }) => tokenId);
    };

    beforeAll(async () => {
      fixture = await start();
      store = await open();
      await store.ping();
    }, 120_000);
    beforeEach(() => {
      run++;
      clock.nowMs = NOW_S * 1000;
    });
    afterAll(async () => {
      await Promise.all(opened.map((one) => one.close()));
      await fixture.remove();
    });

    test('get() returns every member as it was inserted', async () => {
      const full = tokenRecord(id('full'), {
        isAdmin: true,
        roles: ['writer', 'reader', 'ünïcode "quoted"'],
        scopes: ['orders:read'],
        expiresAt: NOW_S + 10,
        description: "Robot'); drop table portcullis_tokens; --",
      });
      const bare = tokenRecord(id('bare'));
      await insert(full, bare);
      expect(await store.get(full.tokenId)).toEqual(full);
      expect(await store.get(bare.tokenId)).toEqual(bare);
      expect(await store.get(id('unknown'))).toBeUndefined();
    });

    test('insert() of one tokenId at once succeeds exactly once, and the first content stays', async () => {
      const other = fixture.settings === undefined ? store : await open();
      const records = Array.from({ length: 20 }, (_, index) =>
        tokenRecord(id('race'), { secretPhc: `$scrypt$${index}` }),
      );
      const outcomes = await Promise.all(
        records.map((record, index) => (index % 2 === 0 ? store : other).insert(record)),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
      expect(await store.get(id('race'))).toEqual(records[outcomes.indexOf(true)]);
    });

    test('insert() distinguishes tokenIds by case', async () => {
      await insert(tokenRecord(id('case')), tokenRecord(id('CASE')));
      expect((await store.getMany([id('case'), id('CASE')])).length).toBe(2);
    });

    test('getMany() returns what exists, each once, up to a hundred', async () => {
      await insert(tokenRecord(id('a')), tokenRecord(id('b')));
      const missing = Array.from({ length: 97 }, (_, index) => id(`missing-${index}`));
      const found = await store.getMany([id('a'), id('b'), id('b'), ...missing]);
      expect(found.map(({ tokenId }) => tokenId).sort()).toEqual([id('a'), id('b')]);
      expect(await store.getMany([])).toEqual([]);
      await expect(store.getMany(Array.from({ length: 101 }, (_, index) => id(`${index}`)))).rejects.toThrow(
        RangeError,
      );
    });

    test('list() pages by tokenId in the order of code points', async () => {
      const ids = ['Z', '_', 'a', '-', 'B', 'b', '0'].map(id);
      await insert(...ids.map((tokenId) => tokenRecord(tokenId, { owner: id('owner') })));
      const pages: string[][] = [];
      for (let after: string | undefined = ''; after !== undefined;) {
        const page = await listed({ limit: 3, ...(after === '' ? {} : { afterTokenId: after }) });
        pages.push(page);
        after = page.length === 3 ? page.at(-1) : undefined;
      }
      expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
      expect(pages.flat()).toEqual(ids.sort());
    });

    test('list() starts after a tokenId that does not exist', async () => {
      await insert(...['a', 'c'].map((one) => tokenRecord(id(one), { owner: id('owner') })));
      expect(await listed({ afterTokenId: id('b') })).toEqual([id('c')]);
    });

    test.each([
      ['nothing more', {}, ['a-plain', 'b-admin']],
      ['revoked ones', { includeRevoked: true }, ['a-plain', 'b-admin', 'd-revoked']],
      ['expired ones', { includeExpired: true }, ['a-plain', 'b-admin', 'c-expired']],
      [
        'both',
        { includeRevoked: true, includeExpired: true },
        ['a-plain', 'b-admin', 'c-expired', 'd-revoked', 'e-both'],
      ],
      ['a role', { hasRole: 'admin' }, ['b-admin']],
      ['a role, expired', { hasRole: 'admin', includeExpired: true }, ['b-admin', 'c-expired']],
      ['a part of a role', { hasRole: 'adm' }, []],
      ['a pattern', { hasRole: '%' }, []],
      ['another owner', { owner: 'nobody' }, []],
    ] as const)('list() asked for %s', async (_name, query, expected) => {
      const owner = id('owner');
      await insert(
        tokenRecord(id('a-plain'), { owner, expiresAt: NOW_S + 1 }),
        tokenRecord(id('b-admin'), { owner, roles: ['reader', 'admin'] }),
        tokenRecord(id('c-expired'), { owner, roles: ['admin'], expiresAt: NOW_S }),
        tokenRecord(id('d-revoked'), { owner, revokedAt: NOW_S - 5 }),
        tokenRecord(id('e-both'), { owner, revokedAt: NOW_S - 5, expiresAt: NOW_S - 1 }),
      );
      expect(await listed(query)).toEqual(expected.map(id));
    });

    test('update() changes what is named, and nothing else', async () => {
      const before = tokenRecord(id('u'), { roles: ['a'], scopes: ['s'], expiresAt: 5, description: 'd' });
      await insert(before);
      const changed = { owner: 'bob', isAdmin: true, secretPhc: '$scrypt$new' };
      expect(await store.update(id('u'), changed)).toEqual({ ...before, ...changed });
      const { expiresAt: _expires, description: _description, ...rest } = before;
      expect(await store.update(id('u'), { expiresAt: null, description: null })).toEqual({
        ...rest,
        ...changed,
      });
      expect(
        await store.update(id('u'), { expiresAt: 9, description: 'e', scopes: { add: ['s', 't'] } }),
      ).toEqual({
        ...before,
        ...changed,
        expiresAt: 9,
        description: 'e',
        scopes: ['s', 't'],
      });
      expect(await store.get(id('u'))).toMatchObject({ expiresAt: 9, scopes: ['s', 't'], roles: ['a'] });
      expect(await store.update(id('unknown'), changed)).toBeUndefined();
    });

    test.each([
      ['set', ['x', 'x', 'y'], ['x', 'y']],
      ['set to none', [], []],
      ['add', { add: ['b', 'c', 'c'] }, ['a', 'b', 'c']],
      ['remove', { remove: ['a', 'zzz'] }, ['b']],
    ] as const)('update() of roles: %s', async (_name, roles, expected) => {
      await insert(tokenRecord(id('r'), { roles: ['a', 'b'], owner: id('owner') }));
      expect((await store.update(id('r'), { roles }))?.roles).toEqual(expected);
      expect((await store.get(id('r')))?.roles).toEqual(expected);
      for (const role of ['a', 'b', 'c', 'x', 'y']) {
        expect(await listed({ hasRole: role })).toEqual(
          (expected as readonly string[]).includes(role) ? [id('r')] : [],
        );
      }
    });

    test('update() loses none of 50 roles that two stores add at once', async () => {
      const other = fixture.settings === undefined ? store : await open();
      await insert(tokenRecord(id('busy')));
      const roles = Array.from({ length: 50 }, (_, index) => `role-${index}`);
      await Promise.all(
        roles.map((role, index) =>
          (index % 2 === 0 ? store : other).update(id('busy'), { roles: { add: [role] } }),
        ),
      );
      expect([...((await store.get(id('busy')))?.roles ?? [])].sort()).toEqual([...roles].sort());
    });

    test('update() refuses a list that outgrows its bound, and changes nothing', async () => {
      const roles = Array.from({ length: MAX_LIST_ENTRIES }, (_, index) => `r${index}`);
      await insert(tokenRecord(id('full'), { roles }));
      await expect(store.update(id('full'), { owner: 'x', roles: { add: ['more'] } })).rejects.toThrow(
        TokenListFullError,
      );
      expect(await store.get(id('full'))).toMatchObject({ owner: 'ann@example.com', roles });
      expect((await store.update(id('full'), { roles: { add: ['r0'] } }))?.roles).toEqual(roles);
    });

    test('revoke() keeps the first time and takes the last forget time; restore() undoes it', async () => {
      const record = tokenRecord(id('v'));
      await insert(record);
      expect(await store.revoke(id('v'), { revokedAt: NOW_S })).toEqual({ ...record, revokedAt: NOW_S });
      const again = { ...record, revokedAt: NOW_S, forgetAt: NOW_S + 60 };
      expect(await store.revoke(id('v'), { revokedAt: NOW_S + 5, forgetAt: NOW_S + 60 })).toEqual(again);
      expect(await store.revoke(id('v'), { revokedAt: NOW_S + 9 })).toEqual(again);
      expect(await store.restore(id('v'))).toEqual(record);
      expect(await store.restore(id('v'))).toEqual(record);
      expect(await store.get(id('v'))).toEqual(record);
      expect(await store.revoke(id('unknown'), { revokedAt: NOW_S })).toBeUndefined();
      expect(await store.restore(id('unknown'))).toBeUndefined();
    });

    test('a revoked record is gone from its forget time on, everywhere, and its tokenId is free', async () => {
      await insert(tokenRecord(id('f'), { owner: id('owner'), roles: ['x'] }));
      await store.revoke(id('f'), { revokedAt: NOW_S, forgetAt: NOW_S + 60 });
      expect(await store.insert(tokenRecord(id('f')))).toBe(false);
      clock.nowMs += 60_000;
      expect(await store.get(id('f'))).toBeUndefined();
      expect(await store.getMany([id('f')])).toEqual([]);
      expect(await listed({ includeRevoked: true, includeExpired: true })).toEqual([]);
      expect(await store.restore(id('f'))).toBeUndefined();
      expect(await store.update(id('f'), { owner: 'x' })).toBeUndefined();
      expect(await store.revoke(id('f'), { revokedAt: NOW_S })).toBeUndefined();
      await insert(tokenRecord(id('f'), { roles: ['x'] }));
      expect(await store.get(id('f'))).toEqual(tokenRecord(id('f'), { roles: ['x'] }));
    });

    test('touch() is read at once, keeps the latest use, and is written when the store closes', async () => {
      const closing = fixture.settings === undefined ? store : await open();
      await insert(tokenRecord(id('used'), { owner: id('owner') }));
      closing.touch(id('used'), NOW_S + 7);
      closing.touch(id('used'), NOW_S + 3);
      closing.touch(id('unknown'), NOW_S);
      expect((await closing.get(id('used')))?.lastUsedAt).toBe(NOW_S + 7);
      expect((await closing.update(id('used'), { owner: id('owner') }))?.lastUsedAt).toBe(NOW_S + 7);
      await closing.close();
      expect((await store.get(id('used')))?.lastUsedAt).toBe(NOW_S + 7);
      expect((await store.list({ limit: 10, owner: id('owner') }))[0]?.lastUsedAt).toBe(NOW_S + 7);
    });

    test('five hundred calls at once are answered', async () => {
      await insert(tokenRecord(id('many')));
      const found = await Promise.all(Array.from({ length: 500 }, () => store.get(id('many'))));
      expect(found.every((record) => record?.tokenId === id('many'))).toBe(true);
    });

    if (name === 'memory') return;

    test('stores that open a new database at once migrate it once', async () => {
      const stores = await Promise.all(Array.from({ length: 5 }, open));
      await Promise.all(stores.map((one) => one.ping()));
      await insert(tokenRecord(id('after')));
      expect((await stores[4]?.get(id('after')))?.tokenId).toBe(id('after'));
    });

    test('kill -9 in the middle of a thousand writes loses no acknowledged one', async () => {
      ensureBuilt();
      const acknowledged = await writeAndKill(fixture.settings!, 400);
      expect(acknowledged.length).toBeGreaterThanOrEqual(400);
      expect(acknowledged.length).toBeLessThan(1000);
      const kept = new Set<string>();
      for (let at = 0; at < acknowledged.length; at += 100) {
        for (const { tokenId } of await store.getMany(acknowledged.slice(at, at + 100))) kept.add(tokenId);
      }
      expect(acknowledged.filter((tokenId) => !kept.has(tokenId))).toEqual([]);
      await insert(tokenRecord(id('still-works')));
    }, 60_000);

    test('a database that is away is StoreUnavailableError within the time limit, and is used again when it is back', async () => {
      if (fixture.takeAway === undefined || fixture.bringBack === undefined) return;
      await insert(tokenRecord(id('away')));
      await fixture.takeAway();
      const fresh = await open();
      for (const call of [
        store.get(id('away')),
        store.insert(tokenRecord(id('away2'))),
        store.list({ limit: 1 }),
        store.update(id('away'), { owner: 'x' }),
        store.ping(),
        fresh.ping(),
      ]) {
        await expect(call).rejects.toThrow(StoreUnavailableError);
      }
      store.touch(id('away'), NOW_S);
      await fixture.bringBack();
      await until(() =>
        Promise.all([store.ping(), fresh.ping()]).then(
          () => true,
          () => false,
        ),
      );
      await insert(tokenRecord(id('back')));
      expect((await fresh.get(id('back')))?.tokenId).toBe(id('back'));
    }, 60_000);
  });
}

/** Runs a writer, kills it after so many acknowledged writes. @returns what it acknowledged */
async function writeAndKill(settings: TokenStoreSettings, after: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, JSON.stringify(settings), '1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: process.env,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > after) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return output.split('\n').slice(0, -1);
}
