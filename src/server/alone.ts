/** Everything in one process. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import type { AskPersonalToken } from '../authz/token/personal.js';
import type { RunningLog } from '../observability/log.js';
import { createRuntime } from '../runtime/runtime.js';
import type { Runtime } from '../runtime/runtime-contract.js';
import { connectState } from '../runtime/shared-state.js';
import type { AdminBackend } from './admin.js';
import { Closers } from './closers.js';
import { assertTlsUsable, grpcTlsOf } from './grpc-options.js';
import { localInsights } from './insights.js';
import { setLogLevel } from './log-level.js';
import { Owner, type OwnerOptions } from './owner.js';
import { openHttpFront } from './proxy-port.js';
import type { Service } from './service.js';
import { personalTokensOf } from './token-service.js';
import { openTransport } from './transport.js';

/** Opens the ports of one process. @throws Error when one cannot be opened; none stays open then */
export async function startAlone(config: Config, options: OwnerOptions): Promise<Service> {
  const closers = new Closers();
  return closers.closeIfFails(async () => {
    // The service needs the runtime, and the runtime the service: it is there before the first Check.
    let askPersonalToken: AskPersonalToken = () => Promise.resolve({ retryAfterS: 1 });
    const runtime = await createRuntime(config, {
      log: options.log,
      audit: options.audit,
      askPersonalToken: (token) => askPersonalToken(token),
    });
    closers.add(() => runtime.close());
    const { metrics, keys, redis, fetcher, introspect, replay } = runtime;
    const owner = await Owner.open(config, {
      ...{ ...options, metrics, keys, redis, fetcher, introspect, replay, closers },
      insights: localInsights(runtime),
    });
    askPersonalToken = personalTokensOf(owner.servicesByName);
    for (const { state } of owner.mounted)
      if (state !== undefined) connectState(state, (message) => runtime.state.receive(message));
    // Before the admin port, so that `/readyz` is 200 only where Checks are answered.
    const grpc = await openTransport(config, { runtime, log: options.log, shared: false });
    let isDrained = false;
    closers.add(() => (isDrained ? Promise.resolve() : grpc.drain(0)));
    await owner.openPorts(localBackend(runtime, owner, options.log));
    let current = config;
    const http = await openHttpFront(runtime.guard, () => current);
    closers.add(() => http?.close() ?? Promise.resolve());
    return {
      apply: async (next) => {
        assertTlsUsable(next);
        await runtime.apply(next);
        current = next;
        await owner.apply(next);
        grpc.replaceTls(grpcTlsOf(next));
        http?.replaceTls(next.server.http?.tls);
      },
      reopenAudit: () => options.audit?.reopen(),
      reloaded: (outcome) => metrics.reloaded(outcome),
      drain: async ({ delayMs, timeoutMs }) => {
        owner.announceDrain();
        grpc.announceDrain();
        http?.announceDrain();
        await pause(delayMs);
        await Promise.all([grpc.drain(timeoutMs), http?.drain(timeoutMs)]);
        isDrained = true;
        await closers.closeAll();
      },
    };
  });
}

/** The admin port of one process. */
function localBackend(runtime: Runtime, owner: Owner, log: RunningLog): AdminBackend {
  const { registry } = runtime.metrics;
  return {
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    readiness: () => Promise.resolve(owner.readiness(runtime.readiness())),
    status: () => Promise.resolve(runtime.status()),
    invalidate: (issuer, drop) => runtime.invalidate(issuer, drop),
    setLogLevel: (level) => Promise.resolve(setLogLevel(log, level)),
  };
}
