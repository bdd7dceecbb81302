/** deploy/caddy, as it is, with a real Caddy; a heavy build, so it runs by night, or where it is installed. */
import { isGoProgramWanted } from '../../support/provision-go.mjs';
import { startCaddy } from '../../support/provision-caddy.mjs';
import { describeNightly } from './proxy-suite.js';

describeNightly(
  { name: 'Caddy', style: 'caddy', start: startCaddy, withoutGate: 502 },
  isGoProgramWanted('caddy'),
  'PORTCULLIS_NIGHTLY=1',
);
