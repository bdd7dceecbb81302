/** Health as methods of the lean transport. */
import type { Health, HealthWatcher } from './health.js';
import type { GrpcAnswers, GrpcMethods, StreamingMethod, UnaryMethod } from './http2/grpc/service.js';
import { GrpcFailure, GrpcStatus } from './http2/grpc/status.js';
import { healthDefinition, writeHealthResponse } from './service-definitions.js';

/** @returns the methods of the service, by path */
export function leanHealth(health: Health): GrpcMethods {
  return new Map<string, UnaryMethod | StreamingMethod>([
    [healthDefinition.Check.path, checkMethod(health)],
    [healthDefinition.Watch.path, watchMethod(health)],
  ]);
}

function checkMethod(health: Health): UnaryMethod {
  return {
    kind: 'unary',
    handle: (message) => {
      const status = health.statusOf(healthDefinition.Check.requestDeserialize(message).service);
      if (status === undefined) throw new GrpcFailure(GrpcStatus.NOT_FOUND, 'unknown service');
      return writeHealthResponse({ status });
    },
  };
}

function watchMethod(health: Health): StreamingMethod {
  const watchers = new Map<GrpcAnswers, HealthWatcher>();
  return {
    kind: 'streaming',
    open: (message, answers) => {
      const { service } = healthDefinition.Watch.requestDeserialize(message);
      const watcher: HealthWatcher = {
        send: (status) => answers.send(writeHealthResponse({ status })),
        end: () => {
          watchers.delete(answers);
          answers.end();
        },
      };
      if (!health.watch(service, watcher))
        throw new GrpcFailure(GrpcStatus.RESOURCE_EXHAUSTED, 'too many watchers');
      watchers.set(answers, watcher);
    },
    closed: (answers) => {
      const watcher = watchers.get(answers);
      if (watcher !== undefined) health.unwatch(watcher);
      watchers.delete(answers);
    },
  };
}
