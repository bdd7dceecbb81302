/** Methods as they are judged. They are case-sensitive (RFC 9110 9.1), and upstreams that ignore case must not be a bypass. */

/** The HTTP method registry of IANA, and QUERY. */
const REGISTERED: ReadonlySet<string> = new Set(
  (
    'ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY ' +
    'MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT QUERY ' +
    'REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL'
  ).split(' '),
);
const LONGEST_REGISTERED = Math.max(...[...REGISTERED].map((method) => method.length));

const UPPER_CASE = /^[A-Z]+$/;
const ASCII_TOKEN = /^[!-~]+$/;

/**
 * Is this a registered method in another case, such as `get` or `Delete`? Some upstreams act on it as on the method
 * itself, and no client needs it.
 *
 * @param method untrusted
 * @see https://www.iana.org/assignments/http-methods
 */
export function isMiscasedMethod(method: string): boolean {
  if (method.length > LONGEST_REGISTERED || REGISTERED.has(method)) return false;
  return !UPPER_CASE.test(method) && REGISTERED.has(method.toUpperCase());
}

/**
 * The method as routes and conditions see it: in upper case, so that no spelling slips past a rule to a laxer one.
 *
 * @param method untrusted
 */
export function judgedMethodOf(method: string): string {
  return UPPER_CASE.test(method) || !ASCII_TOKEN.test(method) ? method : method.toUpperCase();
}
