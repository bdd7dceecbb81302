/** One recorded request through the real pipeline, with the outcome of each stage. Spends nothing, redacts secrets. */
import { createContext } from './authz/pipeline.js';
import type { Gate } from './guard/guard.js';
import { readRecordedRequest } from './fronts/envoy/recorded-request.js';
import type { Decision, Deny, HeaderPair } from './authz/types.js';
import { Denial } from './authz/denial.js';
import type { Config } from './config/config.js';
import { whyOf, type Why } from './explain/why.js';
import { outcomeOf, reasonOf } from './observability/metrics.js';
import { silentLogger, systemClock } from './ports.js';
import { NO_REVOCATIONS } from './revocation/shared-revocations.js';
import { openNetwork } from './runtime/network.js';
import { createRuntime } from './runtime/runtime.js';
import { createReplayMemory } from './stores/replay-memory.js';

const REVOCATION_STAGE = 'check-revocation';
/** Revocations are known to the running server alone. */
const UNKNOWN = 'not consulted: revocations are those of the running server';

/** What `explain` prints. Plain data; holds no credential. */
export interface Explanation {
  readonly stages: readonly { readonly stage: string; readonly outcome: string }[];
  readonly decision: 'allow' | 'deny' | 'error';
  readonly reason: string;
  readonly policy: string | undefined;
  /** Where the policy was chosen. */
  readonly chosenBy: string | undefined;
  /** The requirement that was not met, what it expected and what was found; bounded, and without credentials. */
  readonly why: Why | undefined;
  readonly response: ExplainedResponse;
}

/** The answer as Envoy would get it. */
export interface ExplainedResponse {
  readonly http?: number;
  /** For the client on a denial, for the upstream on an allow. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly removedHeaders?: readonly string[];
  readonly removedQueryParameters?: readonly string[];
  readonly text?: string;
}

/**
 * Explains a request. Keys may be fetched from the issuers of the configuration; proofs are not spent.
 *
 * @param config good
 * @param recorded a CheckRequest as proto3 JSON
 * @param options fresh: key sets are fetched again for this one decision, whatever is kept
 * @throws RecordedRequestError when it is no CheckRequest
 */
export async function explainRequest(
  config: Config,
  recorded: unknown,
  { fresh = false }: { readonly fresh?: boolean } = {},
): Promise<Explanation> {
  const network = openNetwork(config);
  const runtime = await createRuntime(withoutSnapshots(config), {
    log: silentLogger,
    borrowed: {
      fetcher: network.fetcher,
      replay: createReplayMemory({ maxEntries: 1, clock: systemClock }),
    },
  });
  runtime.state.receive(NO_REVOCATIONS);
  try {
    if (fresh) await runtime.invalidate(undefined, true);
    return await explainIn(runtime.gate, recorded, config);
  } finally {
    await runtime.close();
    await network.close();
  }
}

/** An explanation must not write where the server does. */
function withoutSnapshots(config: Config): Config {
  const { snapshotDir: _snapshotDir, ...jwks } = config.jwks;
  return { ...config, jwks };
}

async function explainIn(gate: Gate, recorded: unknown, config: Config): Promise<Explanation> {
  const stages: { stage: string; outcome: string }[] = [];
  const trace = (stage: string, outcome: string): void =>
    void stages.push({
      stage,
      outcome: stage === REVOCATION_STAGE && outcome === 'passed' ? UNKNOWN : outcome,
    });
  let request;
  try {
    request = readRecordedRequest(recorded);
    trace('decode', 'passed');
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    trace('decode', `denied: ${error.code}`);
    return undecodable(stages, error);
  }
  const decision = await gate.pipeline.decide(createContext(request, systemClock.now()), trace);
  return {
    stages,
    decision: outcomeOf(decision),
    reason: reasonOf(decision),
    policy: decision.ctx.match?.policy.name,
    chosenBy: decision.ctx.match?.source,
    why: whyOf(decision, config),
    response: describe(decision, config),
  };
}

function undecodable(stages: Explanation['stages'], { code, entry }: Denial): Explanation {
  return {
    stages,
    decision: 'deny',
    reason: code,
    policy: undefined,
    chosenBy: undefined,
    why: undefined,
    response: { http: entry.http, headers: [], text: entry.text },
  };
}

function describe(decision: Decision, config: Config): ExplainedResponse {
  if (decision.kind === 'deny') {
    const { http, text } = decision.denial.entry;
    return { http, headers: redact(headersOf(decision), config), text };
  }
  const { set, remove, removeQuery } = decision.upstream;
  return { headers: redact(set, config), removedHeaders: remove, removedQueryParameters: removeQuery };
}

/** The text is shown as it is, so its type is not worth a line. */
function headersOf({ refusal }: Deny): readonly HeaderPair[] {
  return refusal.headers.filter(([name]) => name !== 'content-type');
}

/** Whatever could be used again by who reads the explanation. */
function redact(headers: readonly HeaderPair[], { identity }: Config): { name: string; value: string }[] {
  const secret = new Set(['dpop-nonce', 'cookie', identity.token?.header]);
  return headers.map(([name, value]) => ({ name, value: secret.has(name) ? '(redacted)' : value }));
}
