/** deploy/traefik, as it is, with a real Traefik, where one is installed. */
import { findTraefik, startTraefik } from '../../support/provision-traefik.mjs';
import { describeNightly } from './proxy-suite.js';

describeNightly(
  { name: 'Traefik', style: 'traefik', start: startTraefik, withoutGate: 500 },
  findTraefik() !== undefined,
  'TRAEFIK_BIN',
);
