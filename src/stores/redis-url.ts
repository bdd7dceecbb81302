/** Where Redis or Valkey is, and who we are there. */
export interface RedisAddress {
  readonly kind: 'single' | 'cluster';
  readonly nodes: readonly RedisNode[];
  readonly tls: boolean;
  readonly username: string | undefined;
  /** A secret. */
  readonly password: string | undefined;
  readonly db: number;
}

/** One server. */
interface RedisNode {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 6379;
const FORM = /^(redis|rediss|valkey|valkeys)([+-]cluster)?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/(\d{0,4}))?$/i;

/**
 * Reads a connection URL: `redis://[[user]:password@]host[:port][/db]`, `rediss` for TLS, `+cluster` and several hosts
 * with commas between for a cluster; `valkey` and `valkeys` are the same. User and password are percent-encoded.
 *
 * @param url from the configuration; a secret as a whole
 * @throws TypeError without any part of the URL in it
 */
export function parseRedisUrl(url: string): RedisAddress {
  const [, scheme, cluster, userInfo, hosts, db] = FORM.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined)
    throw notAUrl('its form is redis://[user:password@]host[:port][/db]');
  const nodes = hosts.split(',').map(parseNode);
  if (cluster === undefined && nodes.length > 1) throw notAUrl('several hosts need redis+cluster://');
  if (cluster !== undefined && db !== undefined && Number(db) !== 0)
    throw notAUrl('a cluster has no database but 0');
  return {
    kind: cluster === undefined ? 'single' : 'cluster',
    nodes,
    tls: /^(rediss|valkeys)$/i.test(scheme),
    ...parseUserInfo(userInfo),
    db: Number(db ?? 0),
  };
}

function notAUrl(reason: string): TypeError {
  return new TypeError(`not a Redis URL: ${reason}`);
}

function parseNode(text: string): RedisNode {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const number = Number(port ?? DEFAULT_PORT);
  if (host === undefined || number < 1 || number > 65_535) throw notAUrl('a host or port is none');
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

/** As everywhere: without a colon it is a user, before one may be none. */
function parseUserInfo(text: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (text === undefined) return { username: undefined, password: undefined };
  const colon = text.indexOf(':');
  const username = decode(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? '' : decode(text.slice(colon + 1));
  return {
    username: username === '' ? undefined : username,
    password: password === '' ? undefined : password,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw notAUrl('user or password is not percent-encoded');
  }
}
