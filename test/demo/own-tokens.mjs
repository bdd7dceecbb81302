// @ts-check
/** What the demo asks of Portcullis itself: its token endpoint, its admin API, its revocations. */
import { request } from './oauth-client.mjs';
import { assertAsPartner } from './partner.mjs';

/** @typedef {import('./oauth-client.mjs').Answer} Answer */

const GRANT = 'urn:ietf:params:oauth:grant-type:';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/**
 * @param {{ admin: string, publicUrl: string, adminToken: string }} urls
 */
export async function createOwnTokens({ admin, publicUrl, adminToken }) {
  /** @type {(path: string, init: { method: string, body?: string }) => Promise<Answer>} */
  const adminApi = (path, init) =>
    request(publicUrl + path, {
      ...init,
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    });
  /** @type {(record: object) => Promise<string>} */
  const issue = async (record) => {
    const answer = await adminApi('/admin/tokens', { method: 'POST', body: JSON.stringify(record) });
    return JSON.parse(answer.body).token;
  };
  /** @type {(parameters: Record<string, string>) => Promise<Answer>} */
  const ask = (parameters) =>
    request(`${publicUrl}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams(parameters).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  const robot = await issue({ tokenId: 'robot', owner: 'ops@example.com', scopes: ['orders:read'] });
  const agent = await issue({ tokenId: 'agent', owner: 'ops@example.com', scopes: ['orders:read'] });
  const assertion = await assertAsPartner(publicUrl);
  return {
    robot: () => ask({ client_secret: robot }),
    assertion: () => ask({ grant_type: `${GRANT}jwt-bearer`, assertion }),
    /** @param {string} subject @param {string} actor */
    exchange: (subject, actor) =>
      ask({
        grant_type: `${GRANT}token-exchange`,
        client_secret: agent,
        ...{ subject_token: subject, subject_token_type: ACCESS_TOKEN },
        ...{ actor_token: actor, actor_token_type: ACCESS_TOKEN },
      }),
    revokeRobot: () => adminApi('/admin/tokens/robot/revoke', { method: 'PUT' }),
    /** @param {string} token that anybody issued */
    revoke: (token) =>
      request(`${admin}/revocations`, {
        method: 'POST',
        body: JSON.stringify({ token, reason: 'lost laptop' }),
        headers: { 'content-type': 'application/json' },
      }),
  };
}

/**
 * @param {Answer} answer of the token endpoint
 * @returns {string} the access token; empty where there is none
 */
export const accessTokenOf = ({ body }) => JSON.parse(body).access_token ?? '';
