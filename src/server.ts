/**
 * The server as a library: load a configuration, serve it, or put its decision behind a front of your own.
 *
 * @packageDocumentation
 */
export { loadConfig, parseConfig, type LoadedConfig, type LoadOptions } from './config/load.js';
export { ConfigError, type Problem } from './config/problems.js';
export type { Config } from './config/config.js';
export { startServer, type RunningServer, type StartOptions } from './server/start.js';
export { createRuntime } from './runtime/runtime.js';
export type { Runtime, RuntimeOptions } from './runtime/runtime-contract.js';
export type { CheckCall, CheckHandler } from './fronts/envoy/check.js';
export type { Front, Guard } from './guard/guard.js';
export { createRequest, type RequestInput } from './authz/create-request.js';
export { bodyText } from './authz/refusal.js';
export type { Allow, AuthzRequest, Decision, Deny, Refusal } from './authz/types.js';
export { DENIALS, type DenialCode, type DenialEntry } from './authz/denial.js';
export { METRICS } from './observability/metric-catalogue.js';
export { silentLogger, type Logger } from './ports.js';
