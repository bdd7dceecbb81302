/** deploy/traefik, as it is, with a real Traefik; a heavy build, so it runs by night, or where it is installed. */
import { isGoProgramWanted } from '../../support/provision-go.mjs';
import { startTraefik } from '../../support/provision-traefik.mjs';
import { describeNightly } from './proxy-suite.js';

describeNightly(
  { name: 'Traefik', style: 'traefik', start: startTraefik, withoutGate: 500 },
  isGoProgramWanted('traefik'),
);
