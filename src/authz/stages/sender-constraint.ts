import type { VerifyProof } from '../dpop/proof.js';
import { Denial } from '../denial.js';
import { assertTrueTarget } from '../path.js';
import type { ReadCertificate } from '../mtls/certificate.js';
import type { CheckContext, Confirmation, GateMetrics, Policy, Stage, VerifiedToken } from '../types.js';

/** What the stage enforces. */
export interface SenderConstraintOptions {
  /** `dpop.mode` */
  readonly mode: 'off' | 'optional' | 'required';
  readonly verifyProof: VerifyProof;
  readonly readCertificate: ReadCertificate;
  readonly metrics: Pick<GateMetrics, 'dpopProof'>;
}

/**
 * Creates the stage that enforces the sender constraint: the key of a DPoP proof, a client certificate, or both where the
 * token is bound to both. It also refuses every way around them: a bound token sent as Bearer, an unbound one with a
 * proof, one bound in a way that is not supported. A request without a token passes: whether it needs one was decided
 * before.
 *
 * @see RFC 9449 sections 7.1 and 7.2, RFC 8705 section 3
 */
export function createSenderConstraintStage(options: SenderConstraintOptions): Stage {
  return {
    name: 'sender-constraint',
    run(ctx) {
      const { token } = ctx;
      if (token === undefined) return undefined;
      const { confirmation } = token;
      const proof = options.mode === 'off' ? undefined : readProofField(ctx);
      assertScheme(ctx, confirmation, { mode: options.mode, proof });
      assertBound(confirmation, options.mode, ctx.match?.policy);
      if (confirmation?.x5tS256 !== undefined) assertCertificate(confirmation.x5tS256, ctx, options);
      if (confirmation?.jkt !== undefined) acceptProof(proof, token, ctx, options);
      return undefined;
    },
  };
}

/** @returns the proof of the request; undefined where it has none */
function readProofField({ request }: CheckContext): string | undefined {
  const fields = request.headers.all('dpop');
  if (fields.length === 0) return undefined;
  const [field] = fields;
  // Proxies join fields by a comma, which no proof can hold.
  if (fields.length > 1 || field?.includes(',') === true) throw new Denial('multiple_proofs');
  return field;
}

/** The scheme says how the client means its token; the token says how it was issued (RFC 9449 7.1, 7.2). */
function assertScheme(
  { credential }: CheckContext,
  confirmation: Confirmation | undefined,
  { mode, proof }: { mode: SenderConstraintOptions['mode']; proof: string | undefined },
): void {
  const isBound = confirmation?.jkt !== undefined;
  if (isBound && mode === 'off') throw new Denial('unsupported_confirmation');
  if (credential?.scheme === 'dpop') {
    if (mode !== 'off' && proof === undefined) throw new Denial('dpop_proof_missing');
    if (!isBound) throw new Denial('unbound_token_as_dpop');
  } else if (isBound) {
    throw new Denial('bound_token_as_bearer');
  }
}

/** Checks that the required binding exists. Does not check the proof itself. */
function assertBound(
  confirmation: Confirmation | undefined,
  mode: SenderConstraintOptions['mode'],
  policy: Policy | undefined,
): void {
  const byDpop = confirmation?.jkt !== undefined;
  const byMtls = confirmation?.x5tS256 !== undefined;
  if (confirmation !== undefined && !byDpop && !byMtls) throw new Denial('unsupported_confirmation');
  const satisfied = { dpop: byDpop, mtls: byMtls, any: byDpop || byMtls };
  const wanted = policy?.senderConstraint;
  if (mode === 'required' && !byDpop) throw new Denial('sender_constraint_required');
  if (wanted !== undefined && !satisfied[wanted]) throw new Denial('sender_constraint_required');
}

function assertCertificate(
  x5tS256: string,
  { request }: CheckContext,
  { readCertificate }: SenderConstraintOptions,
): void {
  const shown = readCertificate(request);
  if (shown.kind === 'none') throw new Denial('certificate_missing');
  if (shown.kind === 'unreadable' || shown.x5tS256 !== x5tS256) throw new Denial('certificate_mismatch');
}

function acceptProof(
  proof: string | undefined,
  token: VerifiedToken,
  ctx: CheckContext,
  { verifyProof, metrics }: SenderConstraintOptions,
): void {
  // The scheme was checked before. This makes sure that no change there lets a bound token pass without a proof.
  if (proof === undefined) throw new Denial('dpop_proof_missing');
  assertTrueTarget(ctx.request);
  try {
    ctx.proof = verifyProof(proof, { request: ctx.request, token, nowMs: ctx.nowMs });
  } catch (error) {
    if (error instanceof Denial) metrics.dpopProof(error.code);
    throw error;
  }
  const { freshNonce } = ctx.proof;
  if (freshNonce === undefined) return;
  ctx.responseHeaders.push(['dpop-nonce', freshNonce]);
  // A script of another origin sees only exposed headers (Fetch, "CORS protocol").
  const origin = ctx.request.headers.get('origin');
  if (origin !== undefined && ctx.match?.policy.corsOrigins.has(origin) === true) {
    ctx.responseHeaders.push(['access-control-expose-headers', 'dpop-nonce']);
  }
}
