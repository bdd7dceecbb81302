/** deploy/haproxy, as it is, with a real HAProxy. */
import { findHaproxy, HAPROXY_ADVICE, startHaproxy } from '../../support/provision-haproxy.mjs';
import { describeProxy } from './proxy-suite.js';

describeProxy(
  findHaproxy() === undefined
    ? undefined
    : { name: 'HAProxy', style: 'haproxy', start: startHaproxy, withoutGate: 503 },
  findHaproxy() === undefined ? HAPROXY_ADVICE : 'HAProxy',
);
