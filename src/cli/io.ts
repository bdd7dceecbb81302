/** Where a command reads and writes. Each text that is written is whole lines without the last line break. */
export interface CliIo {
  /** All of standard input, bounded. @throws Error where it is larger or cannot be read */
  in(): Promise<string>;
  /** What was asked for. */
  out(text: string): void;
  /** Everything else: problems, warnings, help after a mistake. */
  err(text: string): void;
}

/** How a command ended. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
/** One of them. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * What a thrown value says in one line. Its stack and its causes are left out.
 *
 * @param error anything
 */
export function describeError(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  return message.split('\n', 1)[0] ?? '';
}
