import { z } from 'zod';
import { DEFAULT_ADDRESSES } from '../address.js';
import {
  address,
  appliesAt,
  choice,
  count,
  dictionary,
  documented,
  duration,
  list,
  mustBe,
  network,
  origin,
  parsedText,
  policyName,
  section,
  size,
  text,
} from '../fields.js';

const limits = section({
  concurrentChecks: documented(
    count(1, 1_000_000).prefault(1000),
    'Checks that may be under way at once in a process. What comes beyond is answered 503 at once.',
  ),
  maxMessageBytes: documented(
    size('1B', '64MiB').prefault('1MiB'),
    'Largest CheckRequest that is read. A larger one is answered 413.',
  ),
  eventLoopDelay: documented(
    duration('1ms', '1m').prefault('50ms'),
    'Delay of the event loop beyond which Checks are answered 503 rather than late.',
  ),
});

const tls = section({
  cert: documented(
    text('a path, or PEM text'),
    'The certificate chain, as PEM or the path of a PEM file.',
    './tls.crt',
  ),
  key: documented(
    text('a path, or PEM text'),
    'Its private key, as PEM or the path of a PEM file.',
    './tls.key',
  ),
  clientCa: appliesAt(
    'presence',
    documented(
      text('a path, or PEM text').optional(),
      'The CA that signs client certificates, as PEM or the path of a PEM file. When it is given, clients must show one (mTLS).',
      '/etc/portcullis/envoy-ca.pem',
    ),
  ),
});

const publicTls = section({
  cert: documented(
    text('a path, or PEM text'),
    'The certificate chain, as PEM or the path of a PEM file.',
    './public.crt',
  ),
  key: documented(
    text('a path, or PEM text'),
    'Its private key, as PEM or the path of a PEM file.',
    './public.key',
  ),
});

const httpTls = section({
  cert: documented(
    text('a path, or PEM text'),
    'The certificate chain, as PEM or the path of a PEM file.',
    './http.crt',
  ),
  key: documented(
    text('a path, or PEM text'),
    'Its private key, as PEM or the path of a PEM file.',
    './http.key',
  ),
  clientCa: appliesAt(
    'presence',
    documented(
      text('a path, or PEM text').optional(),
      'The CA that signs the certificates of proxies, as PEM or the path of a PEM file. When it is given, they must show one (mTLS).',
      '/etc/portcullis/proxy-ca.pem',
    ),
  ),
});

/** As the front calls them. */
const HTTP_STYLES = ['traefik', 'caddy', 'nginx', 'ingress-nginx', 'haproxy', 'envoy', 'plain'] as const;

const http = section({
  address: appliesAt(
    'restart',
    documented(address(), 'Where proxies ask by HTTP: host:port.', '0.0.0.0:9194'),
  ),
  style: appliesAt(
    'restart',
    documented(
      choice(HTTP_STYLES),
      'How the proxy asks: which headers say what is asked about, and what the answer may be. `plain` is for plugins and scripts of your own.',
      'nginx',
    ),
  ),
  trustedProxies: appliesAt(
    'restart',
    documented(
      z.array(network(), { error: mustBe('a list of addresses and networks') }).prefault([]),
      'Addresses and networks of the proxies. Only their questions are answered: whoever else asks gets 403 `untrusted_proxy`. Empty: nobody is believed.',
      ['10.0.0.0/8'],
    ),
  ),
  timeout: appliesAt(
    'restart',
    documented(
      duration('50ms', '1m').prefault('5s'),
      'How long the proxy waits for an answer. The denial `deadline_exceeded` leaves before that.',
      '5s',
    ),
  ),
  tls: appliesAt(
    'presence',
    documented(httpTls.optional(), 'TLS on this port. Absent: plain text.', {
      cert: './http.crt',
      key: './http.key',
    }),
  ),
});

const cors = section({
  origins: documented(list(origin()), 'Origins whose pages may read what the public port answers.', [
    'https://app.example.com',
  ]),
});

const adminHost = parsedText('a host name of up to 253 characters, without a port', (value) =>
  /^(?!\.)[a-z0-9._-]{1,253}$/i.test(value) ? value.toLowerCase().replace(/\.$/, '') : undefined,
);

const authority = text('an authority of up to 255 visible ASCII characters', (value) =>
  /^[\x21-\x7e]{1,255}$/.test(value),
);

const WORKERS = 'a whole number from 1 to 256, or auto';

/** `server`: ports, workers, limits. */
export const serverSection = section({
  grpc: appliesAt(
    'restart',
    documented(
      address().prefault(DEFAULT_ADDRESSES.grpc),
      'Where Envoy asks: the ext_authz port. `unix:/path` is a socket. Without this key the environment variable `PORTCULLIS_GRPC` counts, which the container image sets to `0.0.0.0:9191`.',
      '0.0.0.0:9191',
    ),
  ),
  transport: appliesAt(
    'restart',
    documented(
      choice(['grpc-js', 'lean']).prefault('grpc-js'),
      'What serves the gRPC port. `lean` is an HTTP/2 server of its own for this one job, which costs a fraction of the processor time: for an Envoy on the same host, or over mTLS.',
      'lean',
    ),
  ),
  admin: appliesAt(
    'restart',
    documented(
      address().prefault(DEFAULT_ADDRESSES.admin),
      'Metrics, health, status and cache control. It has no authentication of its own, so keep it on loopback or behind a network policy.',
      '127.0.0.1:9192',
    ),
  ),
  public: appliesAt(
    'restart',
    documented(
      address().optional(),
      'What clients and upstreams may reach: the JWKS of identity tokens and the resource metadata of RFC 9728. Absent: the port is not opened.',
      '0.0.0.0:9193',
    ),
  ),
  http: appliesAt(
    'presence',
    documented(
      http.optional(),
      'The HTTP front, for proxies that do not speak ext_authz over gRPC: Traefik, Caddy, nginx, HAProxy and others. Beside the gRPC port, with the same policies. Absent: not opened.',
      { address: '0.0.0.0:9194', style: 'nginx', trustedProxies: ['10.0.0.0/8'] },
    ),
  ),
  tls: appliesAt(
    'presence',
    documented(tls.optional(), 'TLS on the gRPC port. Absent: plain text.', {
      cert: './tls.crt',
      key: './tls.key',
    }),
  ),
  publicTls: appliesAt(
    'presence',
    documented(publicTls.optional(), 'TLS on the public port. Absent: plain text.', {
      cert: './public.crt',
      key: './public.key',
    }),
  ),
  cors: documented(
    cors.optional(),
    'Cross-origin reads of the public port, for pages in a browser. Absent: none.',
    { origins: ['https://app.example.com'] },
  ),
  trustedProxies: documented(
    z.array(network(), { error: mustBe('a list of addresses and networks') }).prefault([]),
    'Proxies in front of the public port, as addresses or networks. From them alone `X-Forwarded-For` is believed, as far as its right-most address that is not one of them; rate limits count by it.',
    ['10.0.0.0/8'],
  ),
  adminHosts: documented(
    z.array(adminHost, { error: mustBe('a list of host names') }).prefault([]),
    'Names that the `Host` header of a request to the admin port may have, beside `localhost` and IP addresses. Others are answered 403, so that a page in a browser cannot reach the port under a name of its own.',
    ['portcullis.internal'],
  ),
  authorities: documented(
    dictionary(authority, policyName()).prefault({}),
    'gRPC `:authority` of a Check → policy. In Istio one provider host per policy.',
    { 'orders.portcullis.internal': 'orders-write' },
  ),
  workers: appliesAt(
    'restart',
    documented(
      z.union([count(1, 256, WORKERS), z.literal('auto')], { error: mustBe(WORKERS) }).prefault(1),
      'Processes. `auto` is one per core.',
      'auto',
    ),
  ),
  limits: documented(limits.prefault({}), 'Beyond these bounds the answer is 503.'),
  failure: documented(
    choice(['deny', 'error']).prefault('deny'),
    "`deny`: every failure is a denial, and stays closed whatever Envoy's failure mode is. `error`: the outage of a dependency that judges verified tokens (the replay or revocation store) is an error_response (Envoy 1.37 or later), and the filter's failure_mode_allow decides; everything that a client can cause stays a denial.",
  ),
  drainTimeout: documented(
    duration('0s', '1h').prefault('10s'),
    'How long Checks under way may take to end after SIGTERM.',
    '10s',
  ),
  drainDelay: documented(
    duration('0s', '1h').prefault('0s'),
    'How long health reports NOT_SERVING after SIGTERM before the gRPC port stops taking new work, so that load balancers turn away first.',
    '5s',
  ),
}).prefault({});
