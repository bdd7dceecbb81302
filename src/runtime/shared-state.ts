/**
 * State that one process owns and all that answer Checks need, such as revocations. The owner publishes a snapshot and
 * changes; code that decides by it subscribes. Whether both are in one process is the composition's business.
 */

/** What is shared, by topic: plain data that survives JSON. */
export interface SharedTopics {
  readonly revocations: unknown;
}

/** A topic. */
export type SharedTopic = keyof SharedTopics;

/** A part of the state, or a change of it; the owner of the topic knows which. */
export type StateMessage = {
  readonly [T in SharedTopic]: { readonly topic: T; readonly value: SharedTopics[T] };
}[SharedTopic];

/** The end that owns the state. */
export interface SharedStateSource {
  /** Everything that a process needs that knows nothing yet. Called again for each new worker. */
  snapshot(): readonly StateMessage[];
  /**
   * Calls for each change, in order.
   *
   * @param listener resolves when the change counts in every process that could be reached
   * @returns how to end it
   */
  onChange(listener: (message: StateMessage) => void | Promise<void>): () => void;
}

/** The end that judges by the state. */
export interface SharedState {
  /** Takes in a snapshot's part or a change. What comes before its subscriber is kept for it, in order. */
  receive(message: StateMessage): void;
  /** Sets who takes the messages of a topic. */
  subscribe<T extends SharedTopic>(topic: T, take: (value: SharedTopics[T]) => void): void;
}

/** Creates the receiving end. */
export function createSharedState(): SharedState {
  const subscribers = new Map<SharedTopic, (value: never) => void>();
  const early = new Map<SharedTopic, unknown[]>();
  return {
    receive({ topic, value }) {
      const take = subscribers.get(topic);
      if (take !== undefined) take(value as never);
      else early.set(topic, [...(early.get(topic) ?? []), value]);
    },
    subscribe(topic, take) {
      subscribers.set(topic, take);
      for (const value of early.get(topic) ?? []) take(value);
      early.delete(topic);
    },
  };
}

/** Connects a source with a receiver: the snapshot first, then each change. @returns how to end it */
export function connectState(
  source: SharedStateSource,
  receive: (message: StateMessage) => void | Promise<void>,
): () => void {
  const end = source.onChange(receive);
  for (const message of source.snapshot()) void receive(message);
  return end;
}
