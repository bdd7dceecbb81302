/** deploy/envoy-http, as it is, with a real Envoy. */
import { startEnvoyByHttp } from '../../support/envoy-http-process.mjs';
import { describeProxy } from './proxy-suite.js';

describeProxy({ name: 'Envoy by HTTP', style: 'envoy', start: startEnvoyByHttp, withoutGate: 503 }, true);
