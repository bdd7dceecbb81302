/**
 * The members of an audit line. docs/audit.md has this table, and a test holds it to the lines that are written: a member
 * that is not here is never in a line.
 */

/** What a member holds, and in which lines it may be. */
interface AuditField {
  readonly lines: 'every' | 'decision' | 'administration';
  readonly text: string;
}

/** Name → meaning, in the order of a line. A member without a value is left out. */
export const AUDIT_FIELDS = {
  time: { lines: 'every', text: 'When the request came, ISO 8601 in UTC with milliseconds' },
  type: { lines: 'every', text: '`decision` or `administration`' },
  decisionId: {
    lines: 'decision',
    text: 'The id that the client of a denial and the access log get too',
  },
  outcome: {
    lines: 'every',
    text: "`allow`, `deny` or `error` (the fault is ours or a dependency's); of administration `ok`, `denied`, `refused` or `failed`",
  },
  reason: { lines: 'decision', text: 'The denial code; `allowed` or `anonymous`' },
  status: { lines: 'every', text: 'HTTP status of the answer to a refused request' },
  rule: { lines: 'decision', text: 'The requirement that was not met, as the configuration calls it' },
  policy: { lines: 'decision', text: 'The policy that judged' },
  chosenBy: { lines: 'decision', text: '`extension`, `metadata`, `authority`, `route` or `default`' },
  route: { lines: 'decision', text: 'Where a route chose: its place in the file, such as `routes[2]`' },
  method: { lines: 'decision', text: 'As sent' },
  host: { lines: 'decision', text: 'As sent' },
  path: { lines: 'decision', text: 'Without query and parameters; what looks like a token is left out' },
  requestId: { lines: 'decision', text: '`x-request-id`' },
  verified: {
    lines: 'decision',
    text: '`true`: the token was verified, and the members below are facts. `false`: they are what the client says. Absent: no token',
  },
  issuer: { lines: 'every', text: '`iss`' },
  subject: { lines: 'every', text: '`sub`' },
  clientId: { lines: 'every', text: '`client_id`, or `azp`' },
  actors: {
    lines: 'decision',
    text: 'The `act` chain (RFC 8693 4.1), the present actor first: up to 8 of `{issuer, subject, clientId}`; `…` stands for more. Verified tokens only',
  },
  tokenId: { lines: 'every', text: '`jti`; of administration the id of the token record' },
  keyId: { lines: 'decision', text: '`kid` of the key that signed the token. Verified JWTs only' },
  jkt: { lines: 'decision', text: 'Thumbprint of the key of the DPoP proof' },
  certificate: { lines: 'decision', text: 'Thumbprint (`x5t#S256`) that the token is bound to' },
  action: { lines: 'administration', text: 'What was done; see the list of actions' },
  by: {
    lines: 'administration',
    text: 'Who did it: the id of the token that authenticated, where the port asks for one',
  },
  address: { lines: 'administration', text: 'The address it came from' },
  target: {
    lines: 'administration',
    text: 'What it was done to: the id of a revocation, an issuer, a level',
  },
  kind: { lines: 'administration', text: 'Of a revocation: `jti`, `sid`, `sub`, `client` or `token`' },
  source: { lines: 'administration', text: 'Of a revocation: `admin`, `logout`, `event` or `revoke`' },
  shortened: { lines: 'every', text: '`true`: texts were cut so that the line stays below 4096 bytes' },
} as const satisfies Record<string, AuditField>;

/** A member of a line. */
export type AuditFieldName = keyof typeof AUDIT_FIELDS;

/** One line before it is written; a member without a value is left out. */
export type AuditRecord = Readonly<Partial<Record<AuditFieldName, unknown>>>;
