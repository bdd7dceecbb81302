/** deploy/nginx, as it is, with a real nginx. */
import { findNginx, NGINX_ADVICE, startNginx } from '../../support/provision-nginx.mjs';
import { describeProxy } from './proxy-suite.js';

describeProxy(
  findNginx() === undefined
    ? undefined
    : { name: 'nginx', style: 'nginx', start: startNginx, withoutGate: 503 },
  findNginx() === undefined ? NGINX_ADVICE : 'nginx',
);
