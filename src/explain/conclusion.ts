import type { LoggedDecision } from './request-forms.js';

/** What the pipeline reports of one request. Holds no credential. */
export interface ExplanationText {
  readonly stages: readonly { readonly stage: string; readonly outcome: string }[];
  readonly decision: string;
  readonly reason: string;
  readonly policy: string | undefined;
  readonly chosenBy: string | undefined;
  /** The requirement that was not met, what it expected and what was found; bounded. */
  readonly why?: object | undefined;
  readonly response: { readonly http?: number; readonly headers?: unknown };
}

/** An explanation, compared with what a log line says of the same request. */
export interface Conclusion extends ExplanationText {
  readonly logged?: LoggedDecision;
  readonly note?: string;
}

/** The stage that looks for the token. */
const FIRST_WITH_TOKEN = 'find-credential';

/**
 * Compares an explanation with the log line that it was made from. A line has no token, so what follows from its
 * absence says nothing of the request that was logged: the decision is `unknown` then, and the logged one is shown.
 *
 * @param logged undefined where the request did not come from a log line
 */
export function concludeExplanation(
  explanation: ExplanationText,
  logged: LoggedDecision | undefined,
): Conclusion {
  if (logged === undefined) return explanation;
  if (explanation.reason === logged.reason) return { ...explanation, logged };
  if (explanation.reason !== 'missing_credential')
    return { ...explanation, logged, note: `differs from the logged reason: ${logged.reason}` };
  const { policy, chosenBy, stages } = explanation;
  const end = stages.findIndex(({ stage }) => stage === FIRST_WITH_TOKEN);
  return {
    stages: end < 0 ? stages : stages.slice(0, end),
    decision: 'unknown',
    reason: 'no token',
    policy,
    chosenBy,
    response: {},
    logged,
    note: `this line holds no token; logged reason: ${logged.reason}; give the token with --token-file`,
  };
}
