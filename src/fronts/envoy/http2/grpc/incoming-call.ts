import type { ByteBudget } from '../byte-budget.js';
import type { RequestReader, Stream } from '../stream.js';
import { answerFailure, answerMessage, StreamAnswers } from './answers.js';
import {
  MessageAssembler,
  messageLength,
  notOneMessage,
  PREFIX_BYTES,
  type Unread,
} from './message-assembler.js';
import type { CallParts, GrpcCall, StreamingMethod, UnaryMethod } from './service.js';
import { GrpcFailure, GrpcStatus } from './status.js';

/** What the calls of a connection count together. */
export interface SharedByCalls {
  underWay: number;
  readonly options: {
    readonly bodies: ByteBudget;
    readonly maxHandlers: number;
    maxMessageBytes(): number;
  };
}

/** A call whose message is on its way. Each has its own stream, to which alone it answers. */
abstract class IncomingCall implements RequestReader, GrpcCall {
  readonly authority: string | undefined;
  readonly deadlineMs: number;
  protected readonly stream: Stream;
  private readonly fields: CallParts['fields'];
  private assembler: MessageAssembler | undefined;
  private isDecided = false;

  constructor(
    protected readonly shared: SharedByCalls,
    parts: CallParts,
  ) {
    this.stream = parts.stream;
    this.fields = parts.fields;
    this.authority = parts.authority;
    this.deadlineMs = parts.deadlineMs;
  }

  data(bytes: Buffer, start: number, end: number, isLast: boolean): void {
    if (this.isDecided) return;
    try {
      if (isLast && this.assembler === undefined) this.decide(viewOf(bytes, start, end, this.limit()));
      else this.collect(bytes, start, end, isLast);
    } catch (error) {
      this.isDecided = true;
      this.release();
      answerFailure(this.stream, error);
    }
  }

  aborted(): void {
    this.release();
  }

  metadata(name: string): readonly (string | Buffer)[] {
    const values: (string | Buffer)[] = [];
    for (const [key, value] of this.fields) {
      if (key !== name) continue;
      if (name.endsWith('-bin'))
        for (const each of value.split(',')) values.push(Buffer.from(each, 'base64'));
      else values.push(value);
    }
    return values;
  }

  /** The message is there, or it is known why it is not held. */
  protected abstract dispatch(message: Buffer | Unread): void;

  private limit(): number {
    return this.shared.options.maxMessageBytes();
  }

  private collect(bytes: Buffer, start: number, end: number, isLast: boolean): void {
    this.assembler ??= new MessageAssembler(this.shared.options.bodies, this.limit());
    const unread = this.assembler.add(bytes, start, end);
    if (unread !== undefined) this.decide(unread);
    else if (isLast) this.decide(this.assembler.finish());
  }

  private decide(message: Buffer | Unread): void {
    this.isDecided = true;
    this.dispatch(message);
    this.release();
  }

  private release(): void {
    this.assembler?.release();
    this.assembler = undefined;
  }
}

/** One answer. */
export class IncomingUnaryCall extends IncomingCall {
  constructor(
    shared: SharedByCalls,
    private readonly method: UnaryMethod,
    parts: CallParts,
  ) {
    super(shared, parts);
  }

  protected dispatch(message: Buffer | Unread): void {
    const { shared } = this;
    const isFull = shared.underWay >= shared.options.maxHandlers;
    const answer = this.ask(isFull ? 'overloaded' : message);
    if (!(answer instanceof Promise)) {
      answerMessage(this.stream, answer);
      return;
    }
    shared.underWay++;
    void answer.then(
      (bytes) => {
        shared.underWay--;
        answerMessage(this.stream, bytes);
      },
      (error: unknown) => {
        shared.underWay--;
        answerFailure(this.stream, error);
      },
    );
  }

  private ask(message: Buffer | Unread): Buffer | Promise<Buffer> {
    if (typeof message !== 'string') return this.method.handle(message, this);
    if (this.method.refuse === undefined) throw new GrpcFailure(GrpcStatus.RESOURCE_EXHAUSTED, message);
    return this.method.refuse(message, this);
  }
}

/** Answers until the method or the peer ends it. */
export class IncomingStreamingCall extends IncomingCall {
  private answers: StreamAnswers | undefined;

  constructor(
    shared: SharedByCalls,
    private readonly method: StreamingMethod,
    parts: CallParts,
  ) {
    super(shared, parts);
  }

  override aborted(): void {
    super.aborted();
    if (this.answers !== undefined) this.method.closed(this.answers);
  }

  protected dispatch(message: Buffer | Unread): void {
    if (typeof message === 'string') throw new GrpcFailure(GrpcStatus.RESOURCE_EXHAUSTED, message);
    const answers = new StreamAnswers(this.stream);
    this.method.open(message, answers);
    this.answers = answers;
  }
}

/**
 * A whole message as it lies in its chunk, which is the usual case.
 *
 * @throws GrpcFailure where the body is not one message
 */
function viewOf(bytes: Buffer, start: number, end: number, limit: number): Buffer | Unread {
  if (end - start < PREFIX_BYTES) throw notOneMessage(end > start);
  const length = messageLength(bytes, start);
  if (length > limit) return 'message_too_large';
  const from = start + PREFIX_BYTES;
  if (length !== end - from) throw notOneMessage(length > end - from);
  return bytes.subarray(from, end);
}
