/**
 * WWW-Authenticate values (RFC 9110 11.6.1, RFC 6750 3, RFC 9449 7.1, RFC 9470 3, RFC 9728 5.1). Every parameter comes from the
 * catalogue or the configuration; none from the request or a token.
 */
import type { Denial } from './denial.js';
import type { Credential, HeaderPair } from './types.js';

/** What a challenge depends on besides the denial. */
export interface ChallengeFacts {
  /** How the credential was presented; undefined: there was none, or it could not be read. */
  readonly scheme: Credential['scheme'] | undefined;
  /** undefined: DPoP is off. */
  readonly dpop: { readonly algorithms: readonly string[] } | undefined;
  /** URL of the resource's metadata; undefined: none is served. */
  readonly resourceMetadata: string | undefined;
}

/** One realm for everything: the resource metadata describes what is protected, not this word. */
const REALM = 'portcullis';

/**
 * The challenges of a denial.
 *
 * @returns WWW-Authenticate fields in order; empty where the catalogue has no challenge
 */
export function challengesOf(denial: Denial, facts: ChallengeFacts): HeaderPair[] {
  switch (denial.entry.challenge) {
    case 'none':
      return [];
    case 'bare':
      return bareChallenges(facts);
    case 'bearer':
      return [field(bearer(denial, facts))];
    case 'dpop':
      return [field(dpop(denial, facts))];
    case 'presented':
      return [field(facts.scheme === 'dpop' ? dpop(denial, facts) : bearer(denial, facts))];
  }
}

/** No error code, since the client sent no credential (RFC 6750 3.1). DPoP is offered unless it is off. */
function bareChallenges(facts: ChallengeFacts): HeaderPair[] {
  const metadata = metadataOf(facts);
  const challenges = [field(`Bearer realm="${REALM}"${metadata}`)];
  if (facts.dpop !== undefined) challenges.push(field(`DPoP ${algsOf(facts.dpop.algorithms)}${metadata}`));
  return challenges;
}

function bearer(denial: Denial, facts: ChallengeFacts): string {
  return `Bearer realm="${REALM}"${parametersOf(denial)}${metadataOf(facts)}`;
}

function dpop(denial: Denial, facts: ChallengeFacts): string {
  return `DPoP ${algsOf(facts.dpop?.algorithms ?? [])}${parametersOf(denial)}${metadataOf(facts)}`;
}

function algsOf(algorithms: readonly string[]): string {
  return `algs="${algorithms.join(' ')}"`;
}

function parametersOf({ entry, details }: Denial): string {
  let text = '';
  if (entry.error !== undefined)
    text += `, error="${entry.error}", error_description="${quoted(entry.text)}"`;
  if (details.scope !== undefined) text += `, scope="${quoted(details.scope)}"`;
  if (details.acrValues !== undefined) text += `, acr_values="${quoted(details.acrValues)}"`;
  if (details.maxAgeS !== undefined) text += `, max_age="${details.maxAgeS}"`;
  return text;
}

/** RFC 9728 section 5.1: goes with every challenge, so that a client can find its authorization server. */
function metadataOf({ resourceMetadata }: ChallengeFacts): string {
  return resourceMetadata === undefined ? '' : `, resource_metadata="${quoted(resourceMetadata)}"`;
}

/** The inside of a quoted-string (RFC 9110 5.6.4). The configuration allows visible ASCII only. */
function quoted(text: string): string {
  return text.replace(/["\\]/g, '\\$&');
}

function field(value: string): HeaderPair {
  return ['www-authenticate', value];
}
