/**
 * Questions and answers between the primary process and its workers, over the channel that node:cluster opens.
 * Every question has a time limit, and the number of open ones is bounded: a worker that stops answering must not
 * hold the memory of the one that asks.
 */

/** One end of the channel. */
export interface IpcChannel {
  /** @param failed called where the message could not be handed over, now or later */
  send(message: object, failed: (error: Error | null) => void): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** Questions by name, with their parameters and results: plain data that survives the channel. */
type Calls<C> = { readonly [M in keyof C]: { readonly params: object; readonly result: unknown } };

/** What this end answers. Parameters are not checked: both ends are this program, of this version. */
export type IpcHandlers<Own extends Calls<Own>> = {
  readonly [M in keyof Own]: (params: Own[M]['params']) => Own[M]['result'] | Promise<Own[M]['result']>;
};

/** One end of the conversation. */
export interface IpcPeer<Other extends Calls<Other>> {
  /**
   * Asks the other end.
   *
   * @param method a name among the other end's handlers
   * @param params plain data
   * @throws Error when the other end failed, did not answer in time, or too much is asked at once
   */
  call<M extends keyof Other & string>(method: M, params: Other[M]['params']): Promise<Other[M]['result']>;
  /** Fails what is open: the other end is gone. */
  close(): void;
}

/** The other end answered that it failed. Anything else means that there was no answer. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
}

/** Bounds of a conversation. */
export interface IpcLimits {
  readonly timeoutMs: number;
  readonly maxOpen: number;
}

interface Question {
  readonly portcullis: 'ask';
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

interface Answer {
  readonly portcullis: 'answer';
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Starts a conversation on a channel. Both ends call this, each with what it answers. */
export function createIpcPeer<Own extends Calls<Own>, Other extends Calls<Other>>(
  channel: IpcChannel,
  handlers: IpcHandlers<Own>,
  limits: IpcLimits,
): IpcPeer<Other> {
  return new Peer<Other>(channel, handlers as AnyHandlers, limits);
}

/** By the time a question arrives, its name is text. */
type AnyHandlers = Readonly<Record<string, (params: unknown) => unknown>>;

class Peer<Other extends Calls<Other>> implements IpcPeer<Other> {
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;

  constructor(
    private readonly channel: IpcChannel,
    private readonly handlers: AnyHandlers,
    private readonly limits: IpcLimits,
  ) {
    channel.onMessage((message) => {
      if (isQuestion(message)) void this.reply(message);
      else if (isAnswer(message)) this.settle(message);
    });
  }

  call<M extends keyof Other & string>(method: M, params: Other[M]['params']): Promise<Other[M]['result']> {
    if (this.pending.size >= this.limits.maxOpen) return Promise.reject(new Error('too many open questions'));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(id);
        reject(new Error(`no answer to ${method} in time`));
      }, this.limits.timeoutMs);
      this.pending.set(id, { resolve, reject, timer });
      this.send({ portcullis: 'ask', id, method, params }, (error) => this.fail(id, error));
    });
  }

  close(): void {
    for (const { reject, timer } of this.pending.values()) {
      clearTimeout(timer);
      reject(new Error('the other process is gone'));
    }
    this.pending.clear();
  }

  private async reply({ id, method, params }: Question): Promise<void> {
    try {
      const handler = Object.hasOwn(this.handlers, method) ? this.handlers[method] : undefined;
      if (handler === undefined) throw new Error(`unknown question ${method}`);
      const result: unknown = await handler(params);
      // An answer that cannot be sent, because it nests too deeply or is too large, is answered with the reason.
      this.send({ portcullis: 'answer', id, result }, (error) => this.send(answerOf(id, error)));
    } catch (error) {
      this.send(answerOf(id, error));
    }
  }

  private fail(id: number, error: Error): void {
    const waiting = this.pending.get(id);
    if (waiting === undefined) return;
    this.pending.delete(id);
    clearTimeout(waiting.timer);
    waiting.reject(error);
  }

  private settle({ id, result, error }: Answer): void {
    const waiting = this.pending.get(id);
    if (waiting === undefined) return;
    this.pending.delete(id);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(new RemoteError(error));
  }

  /** Never throws. What a channel that is closing loses is of no use to anybody. */
  private send(message: Question | Answer, onFailure: (error: Error) => void = () => undefined): void {
    let hasFailed = false;
    const failed = (error: Error | null): void => {
      if (error === null || hasFailed) return;
      hasFailed = true;
      onFailure(error);
    };
    try {
      this.channel.send(message, failed);
    } catch (error) {
      failed(error instanceof Error ? error : new Error('failed'));
    }
  }
}

/** An answer that says why there is none. */
function answerOf(id: number, error: unknown): Answer {
  return { portcullis: 'answer', id, error: error instanceof Error ? error.message : 'failed' };
}

function isQuestion(message: unknown): message is Question {
  return isTagged(message, 'ask');
}

function isAnswer(message: unknown): message is Answer {
  return isTagged(message, 'answer');
}

function isTagged(message: unknown, tag: string): boolean {
  return (
    typeof message === 'object' && message !== null && 'portcullis' in message && message.portcullis === tag
  );
}
