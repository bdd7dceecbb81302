import { randomUUID } from 'node:crypto';
import { createHttpClient, type HttpClient } from '../http/bounded-client.js';
import type { SignatureAlgorithm } from '../jwk/types.js';
import { systemScheduler } from '../jwks/ports.js';
import type { IssuerKeys } from '../jwks/types.js';
import type { Clock, Logger } from '../ports.js';
import { createAnswerMemory } from './answer-memory.js';
import { createBoundedCalls } from './bounded-calls.js';
import { createClientAuthentication } from './client-authentication.js';
import { createIntrospector, type IntrospectionMetrics } from './introspector.js';
import { createIssuerClient, type IssuerClient } from './issuer-client.js';
import { type Claims, readAnswer } from './read-answer.js';
import { createSealedAnswers, type SharedAnswers, type TextStore } from './shared-answers.js';
import { SIGNED_ANSWER_TYPE, verifySignedAnswer } from './signed-answer.js';
import type { ClientCredential, IntrospectionSettings, Introspector } from './types.js';

/** One issuer's introspection. */
export interface IntrospectionConfig {
  readonly issuer: string;
  readonly metadataUrl: string | undefined;
  readonly allowHttp: boolean;
  /** Everything that an answer rests on, as one text: the issuer's whole section, or a digest of it. */
  readonly section: string;
  readonly settings: IntrospectionSettings;
  /** Of signed answers. */
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
  readonly clockToleranceMs: number;
  readonly keys: IssuerKeys;
}

/** What outlives a configuration. */
export interface IntrospectionDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: IntrospectionMetrics;
  readonly stopwatch: () => number;
  /** Redis; undefined: answers are not shared with replicas. */
  readonly store: TextStore | undefined;
  /** true: several processes ask this one, so answers are remembered here as well. */
  readonly remembers: boolean;
}

/** The introspectors of all issuers. */
export interface IntrospectionRegistry {
  /** An unchanged section gets the very same object. Sends nothing. */
  forIssuer(config: IntrospectionConfig): Introspector;
  /** Closes all but these. */
  retain(inUse: readonly Introspector[]): void;
  close(): Promise<void>;
}

interface Member {
  readonly introspector: Introspector;
  readonly http: HttpClient;
}

/** Of those that may run at once. */
const WAITING_FACTOR = 10;

/** Creates the registry. */
export function createIntrospectionRegistry(deps: IntrospectionDependencies): IntrospectionRegistry {
  const members = new Map<string, Member>();
  return {
    forIssuer(config) {
      const known = members.get(config.section);
      if (known !== undefined) return known.introspector;
      const member = createMember(config, deps);
      members.set(config.section, member);
      return member.introspector;
    },
    retain(inUse) {
      for (const [section, { introspector, http }] of members) {
        if (inUse.includes(introspector)) continue;
        members.delete(section);
        void http.close();
      }
    },
    async close() {
      await Promise.all([...members.values()].map(({ http }) => http.close()));
    },
  };
}

function createMember(config: IntrospectionConfig, deps: IntrospectionDependencies): Member {
  const { issuer, settings } = config;
  const { clock, logger, metrics, stopwatch } = deps;
  const { http, client } = createClient(config, clock);
  const introspector = createIntrospector({
    issuer,
    settings,
    ask: createAsk(client, config, clock),
    bounded: createBoundedCalls({
      concurrency: settings.concurrency,
      maxWaiting: settings.concurrency * WAITING_FACTOR,
      maxWaitMs: settings.timeout,
      scheduler: systemScheduler,
    }),
    answers: createAnswers(config, deps),
    metrics,
    logger,
    clock,
    stopwatch,
  });
  return { introspector, http };
}

/**
 * Creates our client at an issuer, with connections of its own.
 *
 * @returns the client, and its connections, which must be closed
 */
export function createClient(
  { issuer, metadataUrl, allowHttp, settings }: IntrospectionConfig,
  clock: Clock,
): { readonly http: HttpClient; readonly client: IssuerClient } {
  const { clientId, credential, timeout: timeoutMs, endpoint, concurrency } = settings;
  const http = createHttpClient({
    timeoutMs,
    maxBytes: 1_048_576,
    allowHttp,
    maxConnectionsPerOrigin: concurrency,
    clientCertificate: credential.method === 'tls_client_auth' ? credential : undefined,
  });
  const client = createIssuerClient({
    issuer,
    metadataUrl,
    endpoints: endpoint === undefined ? {} : { introspection_endpoint: endpoint },
    authenticate: createClientAuthentication({ clientId, credential, issuer, clock, randomId: randomUUID }),
    http,
    timeoutMs,
    allowHttp,
    clock,
  });
  return { http, client };
}

/**
 * Creates the function that sends one token to the issuer and reads the answer.
 *
 * @returns rejects with HttpError, KeySetError, IllFormedAnswerError, KeysUnavailableError
 */
export function createAsk(
  client: IssuerClient,
  config: IntrospectionConfig,
  clock: Clock,
): (token: string) => Promise<Claims> {
  const { signed, clientId } = config.settings;
  const rules = { ...config, clientId };
  return async (token) => {
    const form = { token, token_type_hint: 'access_token' };
    const accept = signed ? SIGNED_ANSWER_TYPE : 'application/json';
    const text = await client.post('introspection_endpoint', form, accept);
    return signed ? verifySignedAnswer(text, rules, clock.now()) : readAnswer(text);
  };
}

function createAnswers(
  { settings, section }: IntrospectionConfig,
  { store, remembers, clock }: IntrospectionDependencies,
): SharedAnswers | undefined {
  if (settings.cacheTtl === 0 && settings.negativeTtl === 0) return undefined;
  const secret = secretOf(settings.credential);
  const sealed = store === undefined ? undefined : createSealedAnswers({ store, secret, section, clock });
  return remembers ? createAnswerMemory(clock, sealed) : sealed;
}

function secretOf(credential: ClientCredential): string {
  switch (credential.method) {
    case 'private_key_jwt':
      return JSON.stringify(credential.key);
    case 'tls_client_auth':
      return credential.key;
    default:
      return credential.secret;
  }
}
