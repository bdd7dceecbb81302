import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Revocation } from '../revocation/revocation.js';
import type { RevocationFactory } from '../revocation/revocation-factory.js';
import { createMessageHandler, noStore, type MessageEndpointOptions } from './message-port.js';
import { LOGOUT_RULES, readLogoutSubject } from './logout-token.js';
import { MessageRejection, type VerifiedMessage } from './signed-message.js';

const FORM_TYPE = /^application\/x-www-form-urlencoded[ \t]*(;|$)/i;

const route = createRoute({
  method: 'post',
  path: '/logout/backchannel',
  summary: 'OpenID Connect Back-Channel Logout 1.0',
  request: {
    body: {
      required: true,
      content: { 'application/x-www-form-urlencoded': { schema: z.object({ logout_token: z.string() }) } },
    },
  },
  responses: {
    200: { description: 'The session is over' },
    400: {
      description: 'The logout token is not acceptable',
      content: {
        'application/json': {
          schema: z.object({ error: z.literal('invalid_request'), error_description: z.string() }),
        },
      },
    },
    429: { description: 'Too many failures from this address' },
    503: { description: 'Try again' },
  },
});

/**
 * Creates the endpoint at which issuers end sessions: tokens of the session that the logout token names, or of its
 * subject, are refused from then on. A logout token counts once.
 *
 * @see OpenID Connect Back-Channel Logout 1.0 sections 2.4 to 2.8
 */
export function createLogoutRouter(options: MessageEndpointOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerPath(route);
  const handle = createMessageHandler(
    {
      name: 'logout token',
      rules: LOGOUT_RULES,
      read: (message) => [revocationOf(message, options.factory)],
      repeated: 'refuse',
      accepted: (c) => c.body(null, 200, noStore()),
      refused: (c, { description }) =>
        c.json({ error: 'invalid_request', error_description: description }, 400, noStore()),
    },
    options,
  );
  app.post(route.path, (c) => handle(c, () => readLogoutToken(c)));
  return app;
}

async function readLogoutToken(c: Context): Promise<string> {
  if (!FORM_TYPE.test(c.req.header('content-type') ?? ''))
    throw new MessageRejection('invalid_request', 'the body must be a form');
  const tokens = new URLSearchParams(await c.req.text()).getAll('logout_token');
  const [token] = tokens;
  if (token === undefined || tokens.length > 1)
    throw new MessageRejection('invalid_request', 'logout_token must be there once');
  return token;
}

function revocationOf(message: VerifiedMessage, factory: RevocationFactory): Revocation {
  const { sub, sid } = readLogoutSubject(message);
  const { issuer, issuedAtS } = message;
  const details = { source: 'logout', beforeS: issuedAtS } as const;
  const revocation =
    sid !== undefined
      ? factory.ofClaim({ kind: 'sid', issuer, value: sid, subject: sub }, details)
      : sub !== undefined && factory.ofClaim({ kind: 'sub', issuer, value: sub }, details);
  if (!revocation) throw new MessageRejection('invalid_request', 'sub or sid must be there');
  return revocation;
}
