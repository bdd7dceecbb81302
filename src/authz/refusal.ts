/**
 * What the client of a denied request gets, on any front: status, headers, body. Everything in it comes from the
 * catalogue and the configuration, but for the echo of a configured Origin and the decision's id.
 */
import { challengesOf } from './challenge.js';
import { bodyOf } from './denial-body.js';
import type { Denial, DenialCode, DenialDetails, DenialEntry } from './denial.js';
import { markKept } from './kept.js';
import type { AuthzRequest, CheckContext, HeaderPair, Policy, Refusal, RefusalBody } from './types.js';

/** @returns the text that is sent */
export function bodyText({ before, after }: RefusalBody, decisionId: string): string {
  return after === undefined ? before : before + decisionId + after;
}

/** What the operator chose for all refusals. */
export interface RefusalOptions {
  /** Which challenges a request without a credential gets. */
  readonly dpop: { readonly algorithms: readonly string[] } | undefined;
  /** Where clients find the resource's metadata; undefined: none is served. */
  readonly resourceMetadata?: string | undefined;
  /** `error`: an outage is left to the proxy's own failure mode, where a front can do that. */
  readonly failure: 'deny' | 'error';
}

/** @returns the refusal of a request; the very same object for all that are alike, which is then marked as kept */
export type RefusalBuilder = (ctx: CheckContext, denial: Denial) => Refusal;

/** Denials are few and much alike: a flood of them is answered with what was built for the first one. */
export function createRefusalBuilder(options: RefusalOptions): RefusalBuilder {
  const plain = new Map<Policy | undefined, Map<DenialCode, Refusal[]>>();
  return (ctx, denial) => {
    const variant = variantOf(ctx, denial);
    if (variant === undefined) return build(ctx, denial, options);
    const policy = ctx.match?.policy;
    let byCode = plain.get(policy);
    if (byCode === undefined) plain.set(policy, (byCode = new Map<DenialCode, Refusal[]>()));
    let variants = byCode.get(denial.code);
    if (variants === undefined) byCode.set(denial.code, (variants = []));
    return (variants[variant] ??= markKept(build(ctx, denial, options)));
  };
}

const SCHEMES = ['none', 'bearer', 'dpop'] as const;
const RPCS = ['none', 'grpc', 'grpc-web', 'connect'] as const;

/** Everything beside code and policy that a plain refusal depends on; undefined: this one depends on more. */
function variantOf(ctx: CheckContext, denial: Denial): number | undefined {
  // What comes with a token is that token's alone.
  if (ctx.token !== undefined || hasAnswerDetails(denial)) return undefined;
  const origins = ctx.match?.policy.corsOrigins;
  if (origins !== undefined && origins.size > 0) return undefined;
  const { method, rpc } = ctx.request;
  const scheme = SCHEMES.indexOf(ctx.credential?.scheme ?? 'none');
  const form = RPCS.indexOf(rpc ?? 'none') * 2 + (method === 'HEAD' ? 1 : 0);
  return scheme * RPCS.length * 2 + form;
}

/** Details that the log alone reads. */
const LOG_ONLY: ReadonlySet<string> = new Set<keyof DenialDetails>(['cause', 'mismatch']);

function hasAnswerDetails({ details }: Denial): boolean {
  for (const name in details) if (!LOG_ONLY.has(name)) return true;
  return false;
}

function build(ctx: CheckContext, denial: Denial, options: RefusalOptions): Refusal {
  const { request, match } = ctx;
  const { dpop, resourceMetadata, failure } = options;
  const headers = [
    ...challengesOf(denial, { scheme: ctx.credential?.scheme, dpop, resourceMetadata }),
    ...fixedHeaders(denial, request),
    ...corsHeaders(request, match?.policy.corsOrigins),
  ];
  const body = bodyFor(request, denial.entry, match?.policy.errors ?? 'oauth');
  if (body !== undefined) headers.push(['content-type', body.contentType]);
  return { status: denial.entry.http, headers, body, isLeftToProxy: failure === 'error' && denial.isOutage };
}

function fixedHeaders(denial: Denial, request: AuthzRequest): HeaderPair[] {
  const headers: HeaderPair[] = [['cache-control', 'no-store']];
  if (denial.details.nonce !== undefined) headers.push(['dpop-nonce', denial.details.nonce]);
  if (denial.entry.http === 503) headers.push(['retry-after', String(denial.details.retryAfterS ?? 1)]);
  if (request.rpc === 'grpc' || request.rpc === 'grpc-web') {
    headers.push(['grpc-status', grpcStatusOf(denial.entry)]);
  }
  return headers;
}

/** gRPC status of a denied gRPC call: UNAUTHENTICATED, INVALID_ARGUMENT, UNAVAILABLE, else PERMISSION_DENIED. */
function grpcStatusOf(entry: DenialEntry): string {
  switch (entry.http) {
    case 401:
      return '16';
    case 400:
    case 413:
      return '3';
    case 500:
    case 503:
      return '14';
    case 403:
      return '7';
  }
}

/** The message of a denied gRPC call is made of its body, so that one is plain text. HEAD gets none. */
function bodyFor(
  request: AuthzRequest,
  entry: DenialEntry,
  format: Policy['errors'],
): (RefusalBody & { contentType: string }) | undefined {
  if (request.method === 'HEAD') return undefined;
  if (request.rpc === 'grpc' || request.rpc === 'grpc-web')
    return { contentType: 'text/plain', before: entry.text, after: undefined };
  return bodyOf(entry, request.rpc === 'connect' ? 'connect' : format);
}

/** What lets a browser's script read the denial, its challenge and the nonce (Fetch, "CORS protocol"). */
function corsHeaders(request: AuthzRequest, origins: ReadonlySet<string> | undefined): HeaderPair[] {
  const origin = request.headers.get('origin');
  if (origin === undefined || origins?.has(origin) !== true) return [];
  return [
    ['access-control-allow-origin', origin],
    ['access-control-allow-credentials', 'true'],
    ['access-control-expose-headers', 'www-authenticate, dpop-nonce, retry-after'],
    ['vary', 'origin'],
  ];
}
