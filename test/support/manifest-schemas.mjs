// @ts-check
/**
 * Holds Kubernetes and Istio manifests to the published schemas, offline: the compiled JSON schemas of
 * `kubernetes-models` find wrong and missing values, its TypeScript types find fields that do not exist.
 */
import ts from 'typescript';
import { inRepository } from './repository.mjs';

/** @typedef {{ apiVersion: string, kind: string, metadata: { name: string }, [field: string]: unknown }} Manifest */

/**
 * @param {string} apiVersion
 * @returns {string} the module that has its kinds
 */
const moduleOf = (apiVersion) =>
  apiVersion.includes('istio.io/')
    ? `@kubernetes-models/istio/${apiVersion}`
    : `kubernetes-models/${apiVersion}`;

/**
 * @param {Manifest} manifest
 * @returns {Promise<string[]>} what the JSON schema of its kind finds
 */
export async function schemaProblems(manifest) {
  const kinds = await import(moduleOf(manifest.apiVersion));
  const Kind = kinds[manifest.kind];
  if (Kind === undefined) return [`${manifest.apiVersion} has no ${manifest.kind}`];
  try {
    new Kind(manifest).validate();
    return [];
  } catch (error) {
    return [/** @type {Error} */ (error).message];
  }
}

/**
 * Compiles each manifest as a literal of its type: TypeScript refuses a field that the type does not have.
 * @param {readonly Manifest[]} manifests
 * @returns {string[]} what it finds
 */
export function unknownFields(manifests) {
  const files = new Map(manifests.map((manifest, index) => [virtualFile(index), sourceOf(manifest)]));
  /** @type {ts.CompilerOptions} */
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name);
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.getSourceFile = (name, version) => {
    const text = host.readFile(name);
    return text === undefined ? undefined : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((name, index) =>
    program.getSemanticDiagnostics(program.getSourceFile(name)).map(({ messageText }) => {
      const { kind, metadata } = /** @type {Manifest} */ (manifests[index]);
      return `${kind} ${metadata.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    }),
  );
}

/** @param {number} index */
const virtualFile = (index) => inRepository(`manifest-${index}.ts`);

/** @param {Manifest} manifest */
const sourceOf = (manifest) =>
  `import type { I${manifest.kind} as Kind } from '${moduleOf(manifest.apiVersion)}';\n` +
  `export const manifest: Kind = ${JSON.stringify(manifest, undefined, 1)};\n`;
