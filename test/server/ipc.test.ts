import { describe, expect, test } from '@jest/globals';
import { createIpcPeer, type IpcChannel, type IpcPeer } from '../../src/server/ipc.js';

const LIMITS = { timeoutMs: 5_000, maxOpen: 2 };

/** Two ends of one channel; messages are copied as between processes. */
function channelPair(): [IpcChannel, IpcChannel] {
  const listeners: ((message: unknown) => void)[][] = [[], []];
  const end = (own: 0 | 1): IpcChannel => ({
    send: (message) => {
      const copy: unknown = JSON.parse(JSON.stringify(message));
      queueMicrotask(() => listeners[1 - own]!.forEach((listener) => listener(copy)));
    },
    onMessage: (listener) => listeners[own]!.push(listener),
  });
  return [end(0), end(1)];
}

type AnyCalls = Record<string, { params: object; result: unknown }>;

function conversation(
  handlers: Record<string, (params: any) => unknown>,
  limits = LIMITS,
): IpcPeer<AnyCalls> {
  const [left, right] = channelPair();
  createIpcPeer<AnyCalls, AnyCalls>(right, handlers, limits);
  return createIpcPeer<AnyCalls, AnyCalls>(left, {}, limits);
}

describe('createIpcPeer()', () => {
  test('call() brings the answer of the other end', async () => {
    const peer = conversation({ double: ({ n }: { n: number }) => n * 2 });
    await expect(peer.call('double', { n: 21 })).resolves.toBe(42);
  });

  test('call() fails with the words of an error at the other end', async () => {
    const peer = conversation({
      fail: () => {
        throw new Error('no such thing');
      },
    });
    await expect(peer.call('fail', {})).rejects.toThrow('no such thing');
  });

  test.each(['nope', 'toString', '__proto__'])(
    'call() of %s, which nobody answers, fails',
    async (method) => {
      await expect(conversation({}).call(method, {})).rejects.toThrow('unknown question');
    },
  );

  test('call() is bounded in number', async () => {
    const peer = conversation({ never: () => new Promise(() => undefined) }, LIMITS);
    const open = [peer.call('never', {}), peer.call('never', {})];
    await expect(peer.call('never', {})).rejects.toThrow('too many');
    peer.close();
    await expect(Promise.allSettled(open)).resolves.toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
  });

  test('call() fails in time when the other end is silent', async () => {
    const peer = conversation({ never: () => new Promise(() => undefined) }, { timeoutMs: 1, maxOpen: 1 });
    await expect(peer.call('never', {})).rejects.toThrow('in time');
  });

  test('an answer that cannot be sent is answered with the reason [security 14]', async () => {
    const deep: object = {};
    let at = deep as { inner?: object };
    for (let n = 0; n < 100_000; n++) at = at.inner = {};
    const peer = conversation({ deep: () => deep });
    await expect(peer.call('deep', {})).rejects.toThrow(/call stack/);
  });

  test('call() fails at once when the question cannot be sent [security 14]', async () => {
    const lost: IpcChannel = {
      send: (_message, failed) => queueMicrotask(() => failed(new Error('channel closed'))),
      onMessage: () => undefined,
    };
    await expect(createIpcPeer<AnyCalls, AnyCalls>(lost, {}, LIMITS).call('ping', {})).rejects.toThrow(
      'channel closed',
    );
  });

  test('messages that are not of this conversation are passed over', async () => {
    const [left, right] = channelPair();
    createIpcPeer(right, { ping: () => 'pong' }, LIMITS);
    const peer = createIpcPeer<AnyCalls, AnyCalls>(left, {}, LIMITS);
    for (const odd of [{}, { portcullis: 'answer', id: 99 }, { portcullis: 'what' }])
      right.send(odd, () => undefined);
    await expect(peer.call('ping', {})).resolves.toBe('pong');
  });
});
