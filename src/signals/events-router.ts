import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { isJsonObject, type JsonObject } from '../ports.js';
import type { Revocation } from '../revocation/revocation.js';
import type { RevocationFactory } from '../revocation/revocation-factory.js';
import { readSubject, type EventSubject } from './event-subject.js';
import { createMessageHandler, noStore, type MessageEndpointOptions } from './message-port.js';
import { MessageRejection, type VerifiedMessage } from './signed-message.js';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';

/** Events with an effect; whether they end one session, where they name one, or everything of the subject. */
const EVENTS: ReadonlyMap<string, { readonly name: string; readonly ends: 'session' | 'subject' }> = new Map([
  [`${CAEP}session-revoked`, { name: 'session-revoked', ends: 'session' }],
  [`${CAEP}credential-change`, { name: 'credential-change', ends: 'subject' }],
  [`${RISC}account-disabled`, { name: 'account-disabled', ends: 'subject' }],
  [`${RISC}account-purged`, { name: 'account-purged', ends: 'subject' }],
  [`${RISC}sessions-revoked`, { name: 'sessions-revoked', ends: 'subject' }],
]);

const SET_TYPE = /^application\/secevent\+jwt[ \t]*(;|$)/i;

const route = createRoute({
  method: 'post',
  path: '/events',
  summary: 'Push delivery of security event tokens (RFC 8935)',
  request: { body: { required: true, content: { 'application/secevent+jwt': { schema: z.string() } } } },
  responses: {
    202: { description: 'Accepted' },
    400: {
      description: 'The security event token is not acceptable',
      content: { 'application/json': { schema: z.object({ err: z.string(), description: z.string() }) } },
    },
    429: { description: 'Too many failures from this address' },
    503: { description: 'Try again' },
  },
});

/** What the events endpoint reports. */
export interface EventsRouterOptions extends MessageEndpointOptions {
  /** @param event a known event, or `unknown`: never text of the message */
  readonly counted: (issuer: string, event: string) => void;
}

/**
 * Creates the endpoint that takes security events: those of CAEP and RISC that end sessions revoke what the subject
 * holds, up to the moment when the event was issued. Others are counted, and have no effect.
 *
 * @see RFC 8935 section 2, RFC 8417, RFC 9493, CAEP 1.0, RISC 1.0
 */
export function createEventsRouter(options: EventsRouterOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerPath(route);
  const handle = createMessageHandler(
    {
      name: 'security event token',
      // A stream that was paused may deliver late; an old event ends only what is older still.
      rules: { types: new Set(['secevent+jwt']), requiresExpiry: false, maxAgeS: Infinity },
      read: (message) => readEvents(message, options),
      // A sender that missed our answer sends it again, and is to hear that it arrived.
      repeated: 'accept',
      accepted: (c) => c.body(null, 202, noStore()),
      refused: (c, { fault, description }) => c.json({ err: fault, description }, 400, noStore()),
    },
    options,
  );
  app.post(route.path, (c) => handle(c, () => readToken(c)));
  return app;
}

async function readToken(c: Context): Promise<string> {
  if (!SET_TYPE.test(c.req.header('content-type') ?? ''))
    throw new MessageRejection('invalid_request', 'the content type must be application/secevent+jwt');
  return c.req.text();
}

function readEvents(message: VerifiedMessage, { factory, counted }: EventsRouterOptions): Revocation[] {
  const revocations: Revocation[] = [];
  const names: string[] = [];
  for (const [type, payload] of message.events) {
    const event = EVENTS.get(type);
    names.push(event?.name ?? 'unknown');
    if (event === undefined) continue;
    const subject = readSubject(subjectOf(payload, message.claims), message.issuer);
    revocations.push(...revocationsOf(subject, { message, factory, ends: event.ends }));
  }
  // Not before all of it was found good.
  for (const name of names) counted(message.issuer, name);
  return revocations;
}

/** The event's own `subject`, else `sub_id` of the token. */
function subjectOf({ subject }: JsonObject, { sub_id: ofToken }: JsonObject): JsonObject {
  const found = subject ?? ofToken;
  if (!isJsonObject(found)) throw new MessageRejection('invalid_request', 'the event has no subject');
  return found;
}

function revocationsOf(
  { user, session }: EventSubject,
  {
    message,
    factory,
    ends,
  }: { message: VerifiedMessage; factory: RevocationFactory; ends: 'session' | 'subject' },
): readonly Revocation[] {
  const { issuer, issuedAtS } = message;
  const details = { source: 'event', beforeS: issuedAtS } as const;
  const ofSession =
    session === undefined
      ? undefined
      : factory.ofClaim({ kind: 'sid', issuer, value: session, subject: user }, details);
  const ofUser =
    user === undefined ? undefined : factory.ofClaim({ kind: 'sub', issuer, value: user }, details);
  const chosen = ends === 'session' ? (ofSession ?? ofUser) : (ofUser ?? ofSession);
  return chosen === undefined ? [] : [chosen];
}
