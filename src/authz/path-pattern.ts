/**
 * Path patterns of routes. `/a/b` is that path, `*` and `{name}` are one segment that is not empty, and a final `**`
 * is the rest: `/a/**` matches `/a`, `/a/` and whatever lies below, as a prefix of segments. (A pattern that left `/a`
 * out would hand it to a later, perhaps laxer route.) A trailing slash is significant everywhere else.
 */
import { isAmbiguousPath } from './path.js';

/** One segment of a pattern. */
type PatternSegment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'any'; readonly name: string | undefined };

/** A parsed pattern. */
export interface PathPattern {
  readonly segments: readonly PatternSegment[];
  /** Ends in `**`. */
  readonly rest: boolean;
}

/** A pattern that cannot be used. The message says why, for the person who wrote it. */
export class PathPatternError extends Error {
  override readonly name = 'PathPatternError';
}

/** Every path, and the empty one of CONNECT. */
export const ANY_PATH: PathPattern = { segments: [], rest: true };

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]{0,63})\}$/;
/** More than any API has. It bounds the search through patterns. */
const MAX_SEGMENTS = 64;

/**
 * Parses a path pattern.
 *
 * @param text from the configuration; literal segments may be percent-encoded or plain Unicode
 * @returns the pattern, its literals percent-decoded
 * @throws PathPatternError
 */
export function parsePathPattern(text: string): PathPattern {
  if (!text.startsWith('/')) throw new PathPatternError('must begin with /');
  const parts = text.slice(1).split('/');
  if (parts.length > MAX_SEGMENTS)
    throw new PathPatternError(`must not have more than ${MAX_SEGMENTS} segments`);
  const rest = parts.at(-1) === '**';
  if (rest) parts.pop();
  const segments = parts.map(parseSegment);
  assertDistinctNames(segments);
  if (text.includes('//')) throw new PathPatternError('must not have an empty segment');
  return { segments, rest };
}

function parseSegment(text: string): PatternSegment {
  if (text === '*') return { kind: 'any', name: undefined };
  if (text === '**') throw new PathPatternError('** stands for the rest, so it must come last');
  const [, name] = PARAMETER.exec(text) ?? [];
  if (name !== undefined) return { kind: 'any', name };
  if (/[*{}]/.test(text)) throw new PathPatternError('*, ** and {name} must be whole segments');
  return { kind: 'literal', text: parseLiteral(text) };
}

/** A literal is read as a path is, so no pattern can require a path that is refused. */
function parseLiteral(text: string): string {
  const encoded = encodeUnicode(text);
  if (encoded === undefined || isAmbiguousPath(`/${encoded}`)) {
    throw new PathPatternError(
      'can never match: such a path is refused (dot segments, ;, \\, //, odd encodings)',
    );
  }
  return decodeURIComponent(encoded);
}

function encodeUnicode(text: string): string | undefined {
  try {
    return text.replace(/\P{ASCII}+/gu, encodeURIComponent);
  } catch {
    return undefined;
  }
}

function assertDistinctNames(segments: readonly PatternSegment[]): void {
  const names = segments.flatMap((segment) => (segment.kind === 'any' && segment.name ? [segment.name] : []));
  if (names.includes('__proto__')) throw new PathPatternError('__proto__ is no name');
  if (new Set(names).size < names.length) throw new PathPatternError('must not name two segments alike');
}
