/** deploy/haproxy, as it is, with a real HAProxy. */
import { findHaproxy, startHaproxy } from '../../support/provision-haproxy.mjs';
import { describeProxy } from './proxy-suite.js';

describeProxy(
  { name: 'HAProxy', style: 'haproxy', start: startHaproxy, withoutGate: 503 },
  findHaproxy() !== undefined,
);
