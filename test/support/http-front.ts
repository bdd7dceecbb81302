/** The HTTP front on a real port, in the test's own process, with what it logs of each decision. */
import { stringify } from 'yaml';
import { parseConfig } from '../../src/config/load.js';
import type { StyleName } from '../../src/fronts/forward-auth/styles.js';
import { silentLogger } from '../../src/ports.js';
import { createRuntime } from '../../src/runtime/runtime.js';
import type { Runtime } from '../../src/runtime/runtime-contract.js';
import { openHttpFront } from '../../src/server/proxy-port.js';
import { createHttp1Client, type WireClient } from './wire-client.mjs';

/** A running front. */
export interface HttpFront {
  readonly client: WireClient;
  readonly port: number;
}

/** A gate with fronts of any style. */
export interface HttpGate {
  readonly runtime: Runtime;
  /** Why the latest decision was made: the code of a denial, or `allowed`, `anonymous`. */
  readonly lastReason: () => string | undefined;
  /** @param server over `server.http` */
  open(style: StyleName, server?: Readonly<Record<string, unknown>>): Promise<HttpFront>;
  close(): Promise<void>;
}

export async function startHttpGate(config: Readonly<Record<string, unknown>>): Promise<HttpGate> {
  let reason: string | undefined;
  const note = (fields: object): void => {
    reason = (fields as { reason?: string }).reason ?? reason;
  };
  const decisions = { ...silentLogger, info: note, error: note };
  const parse = (server: object) =>
    parseConfig(stringify({ ...config, server, log: { decisions: 'all' } })).config;
  const runtime = await createRuntime(parse({ limits: { eventLoopDelay: '5s' } }), {
    log: { ...silentLogger, decisions },
  });
  const closers: (() => Promise<void>)[] = [];
  return {
    runtime,
    lastReason: () => reason,
    open: async (style, server = {}) => {
      const http = { address: '127.0.0.1:0', style, trustedProxies: ['127.0.0.1'], ...server };
      const current = parse({ http });
      const port = await openHttpFront(runtime.guard, () => current);
      if (port === undefined) throw new Error('not configured');
      closers.push(() => port.close());
      return { client: createHttp1Client(port.port), port: port.port };
    },
    close: async () => {
      await Promise.all(closers.map((close) => close()));
      await runtime.close();
    },
  };
}
