import { z } from 'zod';
import { appliesAt, choice, dictionary, documented, mustBe, section, text, webUrl } from './fields.js';
import { identitySection } from './schema/identity.js';
import { issuersSection, jwksSection } from './schema/issuers.js';
import { policiesSection, routesSection } from './schema/policies.js';
import { revocationSection } from './schema/revocation.js';
import { serverSection } from './schema/server.js';
import {
  credentialsSection,
  dpopSection,
  maxTokenBytesField,
  mtlsSection,
  multipleCredentialsField,
  redisSection,
  replaySection,
  tokenCacheSection,
} from './schema/tokens.js';
import { tokensSection } from './schema/token-service.js';

const logSection = section({
  level: documented(
    choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).prefault('info'),
    'What is logged. `POST /log-level` changes it while it runs.',
  ),
  format: documented(
    choice(['json', 'text']).prefault('json'),
    'One JSON object a line, or text for people.',
  ),
  decisions: documented(choice(['denied', 'all', 'none']).prefault('denied'), 'Which decisions get a line.'),
}).prefault({});

const auditSection = section({
  file: appliesAt(
    'restart',
    documented(
      text('a path').optional(),
      'A file of its own, created with mode 0600. SIGHUP and SIGUSR2 open it again by its name, for rotation.',
      '/var/log/portcullis/audit.jsonl',
    ),
  ),
  stdout: appliesAt(
    'restart',
    documented(
      z.literal(true, { error: mustBe('true') }).optional(),
      'Standard output, beside the log.',
      true,
    ),
  ),
}).optional();

const ratio = z
  .number({ error: mustBe('a number from 0 to 1') })
  .min(0, { error: mustBe('a number from 0 to 1') })
  .max(1, { error: mustBe('a number from 0 to 1') });

const samplerSection = section({
  ratio: documented(
    ratio.prefault(0.01),
    'Share of the Checks that are recorded, from 0 to 1, where no parent decides.',
    0.01,
  ),
  parent: documented(
    z.boolean({ error: mustBe('true or false') }).prefault(false),
    "`true`: where a Check comes with a trace context, its sampled flag decides. Clients can set it unless your Envoy does, so leave it off where they reach Envoy's own context.",
    true,
  ),
}).prefault({});

const tracingSection = section({
  endpoint: appliesAt(
    'restart',
    documented(
      webUrl(),
      'OTLP endpoint over HTTP; `/v1/traces` is added where the URL has no path. Plain http is accepted.',
      'http://127.0.0.1:4318',
    ),
  ),
  protocol: appliesAt(
    'restart',
    documented(
      choice(['http/protobuf', 'http/json']).prefault('http/protobuf'),
      'Encoding of OTLP.',
      'http/json',
    ),
  ),
  sampler: documented(samplerSection, 'Which Checks are recorded.'),
  headers: appliesAt(
    'restart',
    documented(
      dictionary(
        z.string(),
        text('text', () => true),
      ).prefault({}),
      'Header fields of the requests to the collector; secrets.',
      { authorization: '${env:OTLP_AUTHORIZATION}' },
    ),
  ),
  serviceName: appliesAt(
    'restart',
    documented(text('text').prefault('portcullis'), '`service.name` of the spans.', 'portcullis'),
  ),
}).optional();

/** The whole file. What one key alone can get wrong is checked here; what needs two is in checks/. */
export const configSchema = section({
  server: documented(serverSection, 'Ports, workers and limits.'),
  issuers: documented(
    issuersSection,
    'Whose tokens are trusted, and with which keys. At least one, unless `tokens` is there.',
  ),
  jwks: documented(jwksSection, 'How fetched key sets are kept.'),
  credentials: documented(
    credentialsSection,
    'Where tokens are looked for, in this order; each entry is a header, a cookie or a query parameter.',
    [{ header: 'authorization' }, { cookie: 'access_token' }],
  ),
  multipleCredentials: documented(
    multipleCredentialsField,
    'A request with credentials in several places: `reject` is 400, `first` takes the first place of the list and removes the others unread.',
  ),
  maxTokenBytes: documented(maxTokenBytesField, 'Longest token that is looked at; a longer one is 400.'),
  tokenCache: documented(
    tokenCacheSection,
    'Verified tokens that are kept, never past their expiry nor the keys that signed them.',
  ),
  dpop: documented(dpopSection, 'Proofs of possession (RFC 9449).'),
  replay: documented(replaySection, 'Which DPoP proofs were spent.'),
  revocation: documented(
    revocationSection,
    'Tokens that are refused before they expire. Absent: off, unless an issuer has `logout` or `events`, or `tokens` is there; then on, with these defaults.',
    { store: 'memory' },
  ),
  mtls: documented(
    mtlsSection,
    'Tokens that are bound to a client certificate (RFC 8705). Always enforced where the token says so.',
  ),
  redis: documented(redisSection, 'Redis or Valkey, for `replay` and `revocation`.'),
  policies: documented(
    policiesSection,
    'Name → what a request must show. `default` (access: required) is there unless it is redefined.',
    { public: { access: 'anonymous' } },
  ),
  routes: documented(
    routesSection,
    'Which policy judges which request; the first that matches. None matches: 403. No routes at all: policy `default`.',
  ),
  identity: documented(identitySection, 'What the upstream learns of the client.'),
  tokens: documented(tokensSection, 'Tokens that Portcullis signs. Absent: off.'),
  log: documented(logSection, 'The log, on standard output.'),
  audit: documented(
    auditSection,
    'A line of JSON per decision and per act of administration (docs/audit.md). Exactly one of `file` and `stdout`. Absent: off.',
    { file: '/var/log/portcullis/audit.jsonl' },
  ),
  tracing: documented(
    tracingSection,
    'Spans of Checks for an OpenTelemetry collector (docs/tracing.md). Absent: off.',
    {
      endpoint: 'http://127.0.0.1:4318',
    },
  ),
});

/** The file as the schema leaves it: defaults filled in, durations in milliseconds, sizes in bytes. */
export type ParsedConfig = z.output<typeof configSchema>;
