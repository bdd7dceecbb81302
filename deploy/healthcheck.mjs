// @ts-check
/**
 * For container health checks: ends with 0 while /livez of the admin port answers 200.
 * PORTCULLIS_ADMIN: its address, 127.0.0.1:9192 unless set.
 */
import { get } from 'node:http';

const TIMEOUT_MS = 2_000;
const address = process.env['PORTCULLIS_ADMIN'] ?? '127.0.0.1:9192';

const request = get(`http://${address}/livez`, { timeout: TIMEOUT_MS }, (response) => {
  process.exit(response.statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => process.exit(1));
request.on('error', () => process.exit(1));
