/** The ten examples of docs/guides/policies.md as cases: the guide is the source, so it cannot say what no front does. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { AUDIENCE, ISSUER, testKey } from './tokens.js';

/** What a case must be answered with. */
export type ExpectedAnswer =
  | {
      readonly outcome: 'allow';
      /** Headers that are set on the request; undefined: the case does not say. */
      readonly set?: readonly (readonly [name: string, value: string])[] | undefined;
      /** Headers that are removed, among others. */
      readonly removed: readonly string[];
      /** Query parameters that are removed; undefined: none. */
      readonly removedQuery?: readonly string[] | undefined;
      readonly shadow?: 'allow' | 'deny' | undefined;
    }
  | {
      readonly outcome: 'deny';
      readonly status: number;
      readonly code: string;
      /** Of the challenge: `scope`, `acr_values`, `max_age`. */
      readonly challenge?: Readonly<Record<string, string>> | undefined;
      readonly shadow?: 'allow' | 'deny' | undefined;
    };

/** A request and its answer. */
export interface FrontCase {
  /** Unique within its group. */
  readonly name: string;
  /** `{token}` in a header or the target stands for the token, `{proof /path}` for a proof for that path. */
  readonly request: {
    readonly method: string;
    /** Path and query. */
    readonly target: string;
    readonly host: string;
    readonly headers: readonly (readonly [name: string, value: string])[];
  };
  /** `context_extensions` of Envoy's route; a front without such a thing leaves the case out. */
  readonly extensions: Readonly<Record<string, string>>;
  /** Claims over those of a good token of alice without scope; `bad`: with a broken signature. */
  readonly token: 'none' | 'bad' | Readonly<Record<string, unknown>>;
  readonly expected: ExpectedAnswer;
}

/** Cases that share a configuration. */
export interface CaseGroup {
  readonly title: string;
  /** A whole configuration, but for ports. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly cases: readonly FrontCase[];
}

/** A configuration with an issuer whose key the tests hold. */
export function frontCaseConfig(parts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const issuers = [{ issuer: ISSUER, audiences: [AUDIENCE], jwks: { keys: [testKey('ES256').jwk] } }];
  return { issuers, ...parts };
}

/** The examples of the guide, in its order. */
export function frontCasesOf(): CaseGroup[] {
  const guide = readFileSync(new URL('../../docs/guides/policies.md', import.meta.url), 'utf8');
  return guide
    .split(/^## /m)
    .filter((part) => /^\d+\. /.test(part))
    .map((part) => ({
      title: part.slice(0, part.indexOf('\n')),
      config: frontCaseConfig(
        parse(/```yaml\n([\s\S]*?)```/.exec(part)?.[1] ?? '') as Record<string, unknown>,
      ),
      cases: [...part.matchAll(/^\| (.*?) +\| (.*?) +\| (.*?) +\|$/gm)]
        .filter(([, request = '']) => request.startsWith('`'))
        .map(([, request = '', token = '', answer = '']) => caseOf(request, token, answer)),
    }));
}

function caseOf(request: string, tokenText: string, answer: string): FrontCase {
  const [line = '', ...rest] = codeOf(request);
  const pairs = rest.map(
    (pair) => [pair.slice(0, pair.indexOf(': ')), pair.slice(pair.indexOf(': ') + 2)] as const,
  );
  const headers = pairs.filter(([name]) => !name.startsWith('extension '));
  const token = tokenIn(tokenText);
  if (token !== 'none' && !request.includes('{token}')) headers.push(['authorization', 'Bearer {token}']);
  return {
    name: `${request} ${tokenText}`,
    request: { ...requestLineOf(line), headers },
    extensions: Object.fromEntries(
      pairs.filter(([name]) => name.startsWith('extension ')).map(([name, value]) => [name.slice(10), value]),
    ),
    token,
    expected: expectedOf(answer),
  };
}

function requestLineOf(line: string): Omit<FrontCase['request'], 'headers'> {
  const [method = '', url = ''] = line.split(' ');
  const [, host = 'api.example.com', target = ''] = /^(?:https:\/\/([^/]*))?(.*)$/.exec(url) ?? [];
  return { method, host, target };
}

function tokenIn(text: string): FrontCase['token'] {
  return text === 'none' || text === 'bad'
    ? text
    : (JSON.parse(codeOf(text)[0] ?? '') as Record<string, unknown>);
}

function codeOf(text: string): string[] {
  return [...text.matchAll(/`([^`]*)`/g)].map(([, code = '']) => code);
}

const REFUSED = /^(\d{3}) `(\w+)`((?: \w+=`[^`]*`)*)(?:, shadow (allows|denies))?$/;
const ALLOWED =
  /^allowed(?:, with (?<set>(?:`[^`]*` ?)+))?(?:,? ?without (?<removed>(?:`[^`]*` ?)+))?(?:, without parameter (?<parameter>`[^`]*`))?(?:, shadow (?<shadow>allows|denies))?$/;
const SHADOWS = { allows: 'allow', denies: 'deny' } as const;

/** @throws Error where the guide answers in words that are not known here */
function expectedOf(answer: string): ExpectedAnswer {
  const [, status, code = '', details = '', verdict] = REFUSED.exec(answer) ?? [];
  if (status !== undefined) {
    const challenge = Object.fromEntries(
      [...details.matchAll(/(\w+)=`([^`]*)`/g)].map(([, name = '', value = '']) => [name, value]),
    );
    return { outcome: 'deny', status: Number(status), code, challenge, shadow: shadowOf(verdict) };
  }
  const told = ALLOWED.exec(answer)?.groups;
  if (told === undefined) throw new Error(`the guide says: ${answer}`);
  const set = told.set === undefined ? undefined : codeOf(told.set).map(pairOf);
  const removedQuery = told.parameter === undefined ? undefined : codeOf(told.parameter);
  return {
    outcome: 'allow',
    set,
    removed: codeOf(told.removed ?? ''),
    removedQuery,
    shadow: shadowOf(told.shadow),
  };
}

function shadowOf(verdict: string | undefined): 'allow' | 'deny' | undefined {
  return verdict === undefined ? undefined : SHADOWS[verdict as keyof typeof SHADOWS];
}

function pairOf(pair: string): readonly [string, string] {
  return [pair.slice(0, pair.indexOf(': ')), pair.slice(pair.indexOf(': ') + 2)];
}
