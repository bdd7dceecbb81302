/** How each proxy asks, and what it can do with an answer. A style is one row; the code knows no proxy by name. */

/** The words of `server.http.style`. */
export const STYLE_NAMES = [
  'traefik',
  'caddy',
  'nginx',
  'ingress-nginx',
  'haproxy',
  'envoy',
  'plain',
] as const;
export type StyleName = (typeof STYLE_NAMES)[number];

/** Which headers of the question describe the request that is judged. */
export interface QuestionHeaders {
  readonly method: string;
  /** Path and query with `host`, or an absolute URL without. */
  readonly target: string;
  /** undefined: the target is an absolute URL. */
  readonly host: string | undefined;
}

/** What a front must know of a proxy. */
export interface Style {
  /** undefined: the question has the request line and Host of the request itself. */
  readonly question: QuestionHeaders | undefined;
  /**
   * How the proxy is told what to take out. `list`: `x-portcullis-remove`, for a proxy that has code; `envoy`: Envoy's own
   * header; `none`: it takes out what its configuration names. A request with a spelling that a configuration cannot
   * name is refused then.
   */
  readonly removal: 'list' | 'envoy' | 'none';
  /** true: an identity header that is absent is sent empty, since the proxy keeps the client's otherwise. */
  readonly blanksAbsent: boolean;
  /** true: the proxy replaces the cookie header by that of the answer, so it must be there. */
  readonly copiesCookie: boolean;
  /**
   * Which statuses of a denial the proxy sends to the client as they are. Others are sent as 403, with the true one in
   * `x-portcullis-status`: `all`; `no-5xx`: a 5xx would be the gate's failure, and the proxy may let the request through;
   * `401-403`: the proxy makes 500 of everything else, and takes no body.
   */
  readonly statuses: 'all' | 'no-5xx' | '401-403';
}

const forwarded = { method: 'x-forwarded-method', host: 'x-forwarded-host', target: 'x-forwarded-uri' };
const original = { method: 'x-original-method', host: 'x-original-host', target: 'x-original-uri' };

const plain: Style = {
  question: original,
  removal: 'list',
  blanksAbsent: true,
  copiesCookie: false,
  statuses: 'all',
};
const nginx: Style = { ...plain, removal: 'none', copiesCookie: true, statuses: '401-403' };

/** The styles by name. */
export const STYLES: Readonly<Record<StyleName, Style>> = {
  // Traefik deletes what authResponseHeaders names before it copies; an empty value would arrive as one.
  traefik: { ...plain, question: forwarded, removal: 'none', blanksAbsent: false, copiesCookie: true },
  caddy: { ...plain, question: forwarded, removal: 'none', copiesCookie: true },
  nginx,
  'ingress-nginx': {
    ...nginx,
    question: { method: 'x-original-method', target: 'x-original-url', host: undefined },
  },
  haproxy: plain,
  envoy: { ...plain, question: undefined, removal: 'envoy', blanksAbsent: false, statuses: 'no-5xx' },
  plain,
};
