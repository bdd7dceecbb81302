/** Health as methods of grpc-js. */
import {
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Health } from './health.js';
import type { HealthRequest, HealthResponse } from './service-definitions.js';

/** @returns the handlers of the service */
export function grpcJsHealth(health: Health): UntypedServiceImplementation {
  return {
    Check: (
      call: ServerUnaryCall<HealthRequest, HealthResponse>,
      callback: sendUnaryData<HealthResponse>,
    ) => {
      const found = health.statusOf(call.request.service);
      if (found === undefined) callback({ code: status.NOT_FOUND, details: 'unknown service' });
      else callback(null, { status: found });
    },
    Watch: (call: ServerWritableStream<HealthRequest, HealthResponse>) => {
      const watcher = {
        send: (found: HealthResponse['status']) => void call.write({ status: found }),
        end: () => void call.end(),
      };
      if (!health.watch(call.request.service, watcher)) {
        call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many watchers' });
        return;
      }
      call.on('cancelled', () => {
        health.unwatch(watcher);
        call.end();
      });
    },
  };
}
