/** A table of requests with what they must be answered with, as a person writes it. Every mistake has a path and a line. */
import { z } from 'zod';
import { checkAgainst } from '../config/check-schema.js';
import { choice, documented, flag, list, section, text } from '../config/fields.js';
import { ConfigError, ProblemReport } from '../config/problems.js';
import { parseYaml } from '../config/yaml.js';
import { isExpectation } from '../explain/expectation.js';

/** `METHOD URL`, as it is sent: nothing of it is tidied up. */
const REQUEST = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (https?:\/\/[^/?#\s]+)?(\/[^#\s]*)?$/;

const claims = z.record(z.string(), z.unknown(), { error: 'must be a mapping of claims' });

const headerValues = z.record(
  text('the name of a header field'),
  z.union([z.string(), z.array(z.string())], { error: 'must be text, or a list of texts' }),
  { error: 'must be a mapping of header fields' },
);

const answer = section({
  outcome: documented(choice(['allow', 'deny', 'error']).optional(), 'How it ends.'),
  reason: documented(
    text(
      'a denial code, allowed or anonymous',
      (word) => isExpectation(word) && !/^\d|^allow$|^deny$/.test(word),
    ).optional(),
    'The denial code, `allowed` or `anonymous`.',
  ),
  status: documented(
    z.int({ error: 'must be an HTTP status' }).min(200).max(599).optional(),
    'Status of a refusal.',
  ),
  policy: documented(text('the name of a policy').optional(), 'The policy that judges.'),
  rule: documented(
    text('a requirement such as claims.tenant').optional(),
    'The requirement that is not met.',
  ),
  challenge: documented(
    z.record(z.string(), z.string(), { error: 'must be a mapping of texts' }).optional(),
    'Parameters of the challenge: `scope`, `acr_values`, `max_age`.',
  ),
  headers: documented(
    z.record(z.string(), z.string(), { error: 'must be a mapping of texts' }).optional(),
    'Headers that are set on an allowed request.',
  ),
  without: documented(
    list(text('the name of a header field')).optional(),
    'Headers that are removed from it.',
  ),
  withoutQuery: documented(
    list(text('the name of a parameter')).optional(),
    'Query parameters that are removed from it.',
  ),
  shadow: documented(choice(['allow', 'deny']).optional(), 'What the shadow policy says.'),
});

const policyCase = section({
  name: text('text').optional(),
  request: text('METHOD and a URL or path, such as GET https://api.example.com/orders', (value) =>
    REQUEST.test(value),
  ),
  headers: headerValues.optional(),
  token: z
    .union([z.enum(['none', 'bad', 'expired']), claims], {
      error: 'must be none, bad, expired, or a mapping of claims',
    })
    .optional(),
  issuer: text('one of the issuers of the configuration').optional(),
  opaque: flag().optional(),
  dpop: z.union([z.boolean(), z.literal('missing')], { error: 'must be true, false or missing' }).optional(),
  extensions: z.record(z.string(), z.string(), { error: 'must be a mapping of texts' }).optional(),
  expect: z.union(
    [text('allow, deny, a reason or an HTTP status', isExpectation), z.int().min(200).max(599), answer],
    {
      error:
        'must be allow, deny, a reason such as insufficient_scope, an HTTP status, or a mapping of these',
    },
  ),
});

const caseFile = section({
  now: text('a moment such as 2026-01-15T12:00:00Z', (value) => !Number.isNaN(Date.parse(value))).optional(),
  host: text('a host').optional(),
  issuer: text('one of the issuers of the configuration').optional(),
  claims: claims.optional(),
  cases: list(policyCase),
});

type ParsedCase = z.output<typeof policyCase>;

/** What a case must be answered with. */
export type ExpectedAnswer = z.output<typeof answer>;

/** A case, read. */
export interface PolicyCase {
  readonly name: string;
  readonly line: number;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly extensions: Readonly<Record<string, string>>;
  readonly token: 'none' | 'bad' | 'expired' | Readonly<Record<string, unknown>>;
  readonly issuer: string | undefined;
  readonly opaque: boolean;
  readonly dpop: boolean | 'missing';
  /** A word of `--expect`, or an answer in parts. */
  readonly expected: string | ExpectedAnswer;
}

/** A table, read. */
export interface CaseTable {
  /** Milliseconds since the epoch; undefined: the present. */
  readonly nowMs: number | undefined;
  readonly cases: readonly PolicyCase[];
}

const DEFAULT_HOST = 'api.example.com';

/**
 * Reads a table.
 *
 * @param file its name, for messages
 * @param issuers of the configuration, which a case may name
 * @throws ConfigError with every mistake, its path and its line
 */
export function parseCaseFile(content: string, file: string, issuers: readonly string[]): CaseTable {
  const report = new ProblemReport();
  const { tree, locate } = parseYaml(content, file, report);
  const parsed = checkAgainst(caseFile, tree, report);
  if (parsed !== undefined) checkIssuers(parsed, issuers, report);
  const problems = report.list(locate);
  if (problems.length > 0 || parsed === undefined)
    throw new ConfigError(problems.map((problem) => ({ ...problem, path: `${file}: ${problem.path}` })));
  return {
    nowMs: parsed.now === undefined ? undefined : Date.parse(parsed.now),
    cases: parsed.cases.map((one, index) => ({
      ...readCase(one, parsed),
      name: one.name ?? nameOf(one),
      line: locate(['cases', index])?.line ?? 1,
    })),
  };
}

function checkIssuers(
  { issuer, cases }: z.output<typeof caseFile>,
  issuers: readonly string[],
  report: ProblemReport,
): void {
  const refuse = (path: (string | number)[]): void =>
    report.add(path, `must be one of the issuers of the configuration: ${issuers.join(', ')}`);
  if (issuer !== undefined && !issuers.includes(issuer)) refuse(['issuer']);
  cases.forEach((one, index) => {
    if (one.issuer !== undefined && !issuers.includes(one.issuer)) refuse(['cases', index, 'issuer']);
  });
}

function readCase(one: ParsedCase, table: z.output<typeof caseFile>): Omit<PolicyCase, 'name' | 'line'> {
  const [, method = '', origin = '', target = '/'] = REQUEST.exec(one.request) ?? [];
  const token = one.token ?? 'none';
  return {
    method,
    target,
    host: origin === '' ? (table.host ?? DEFAULT_HOST) : origin.slice(origin.indexOf('//') + 2),
    headers: Object.entries(one.headers ?? {}).flatMap(([name, value]) =>
      [value].flat().map((single) => [name.toLowerCase(), single] as const),
    ),
    extensions: one.extensions ?? {},
    token: typeof token === 'string' ? token : { ...table.claims, ...token },
    issuer: one.issuer ?? table.issuer,
    opaque: one.opaque ?? false,
    dpop: one.dpop ?? false,
    expected: typeof one.expect === 'number' ? String(one.expect) : one.expect,
  };
}

/** A case without a name is called what it does; no claim's value is in it but what the file says itself. */
function nameOf({ request, token = 'none' }: ParsedCase): string {
  return `${request} (${typeof token === 'string' ? `${token} token` : JSON.stringify(token)})`.replace(
    '(none token)',
    '(no token)',
  );
}
