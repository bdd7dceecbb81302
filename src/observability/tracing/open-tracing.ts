/** Tracing of a process: loaded only where it is configured. */
import type { TracingConfig } from '../../config/config.js';
import { createHttpClient } from '../../http/bounded-client.js';
import { systemScheduler } from '../../jwks/ports.js';
import type { Logger } from '../../ports.js';
import { VERSION } from '../../version.js';
import { encodeOtlpJson, type Resource } from './otlp-json.js';
import { encodeOtlpProtobuf } from './otlp-protobuf.js';
import { createSpanExporter } from './span-exporter.js';
import { createTracer, type Tracer } from './tracer.js';

/** Running tracing. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Spans that a collector took, and those that were given up. */
  readonly counts: { readonly sent: number; readonly dropped: number };
  /** Takes over the sampler of a new configuration. */
  sample(sampler: TracingConfig['sampler']): void;
  /** Sends what waits. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 65_536;
const FORMATS = {
  'http/protobuf': { encode: encodeOtlpProtobuf, contentType: 'application/x-protobuf' },
  'http/json': { encode: encodeOtlpJson, contentType: 'application/json' },
} as const;

/**
 * Opens tracing. Connects to nobody before there is a span.
 *
 * @param config endpoint, protocol and header fields of the start; header fields are secrets
 */
export function openTracing(config: TracingConfig, log: Logger): Tracing {
  let { sampler } = config;
  const { encode, contentType } = FORMATS[config.protocol];
  // An operator's collector, in the same network as a rule: plain http is the usual way.
  const http = createHttpClient({ timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES, allowHttp: true });
  const resource: Resource = {
    attributes: {
      'service.name': config.serviceName,
      'service.version': VERSION,
      'process.pid': process.pid,
    },
    scope: { name: 'portcullis', version: VERSION },
  };
  const exporter = createSpanExporter({
    send: async (spans) => {
      await http.postBody(config.endpoint, {
        body: encode(spans, resource),
        contentType,
        headers: config.headers,
      });
    },
    scheduler: systemScheduler,
    log,
  });
  const tracer = createTracer({
    sampler: () => sampler,
    export: (span) => exporter.add(span),
    nowMs: () => performance.timeOrigin + performance.now(),
  });
  return {
    tracer,
    counts: exporter,
    sample: (next) => {
      sampler = next;
    },
    close: async () => {
      await exporter.close();
      await http.close();
    },
  };
}
