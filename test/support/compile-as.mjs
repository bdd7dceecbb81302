// @ts-check
/** Holds data to a published TypeScript type: a field that the type does not have is refused. */
import ts from 'typescript';
import { inRepository } from './repository.mjs';

/** @type {ts.CompilerOptions} */
const OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2022,
};

/**
 * Compiles each value as a literal of its type.
 *
 * @param {readonly { module: string, type: string, value: unknown, title?: string, omit?: string }[]} literals `type` is an export of
 *   `module`; `omit` names a field of it that the value does not have
 * @returns {string[]} what TypeScript finds
 */
export function compileAs(literals) {
  const files = new Map(literals.map((literal, index) => [virtualFile(index), sourceOf(literal)]));
  const host = ts.createCompilerHost(OPTIONS);
  const { readFile, fileExists } = host;
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name);
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.getSourceFile = (name, version) => {
    const text = host.readFile(name);
    return text === undefined ? undefined : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([...files.keys()], OPTIONS, host);
  return [...files.keys()].flatMap((name, index) =>
    program.getSemanticDiagnostics(program.getSourceFile(name)).map(({ messageText }) => {
      const { title, type } = /** @type {{ title?: string, type: string }} */ (literals[index]);
      return `${title ?? type}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    }),
  );
}

/** @param {number} index */
const virtualFile = (index) => inRepository(`literal-${index}.ts`);

/** @param {{ module: string, type: string, value: unknown, omit?: string }} literal */
const sourceOf = ({ module, type, value, omit }) =>
  `import type { ${type} as Type } from '${module}';\n` +
  `export const value: ${omit ? `Omit<Type, '${omit}'>` : 'Type'} = ${JSON.stringify(value, undefined, 1)};\n`;
