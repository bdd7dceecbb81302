/** deploy/nginx, as it is, with a real nginx. */
import { findNginx, startNginx } from '../../support/provision-nginx.mjs';
import { describeProxy } from './proxy-suite.js';

describeProxy(
  { name: 'nginx', style: 'nginx', start: startNginx, withoutGate: 503 },
  findNginx() !== undefined,
);
