// @ts-check
/**
 * Holds manifests of Kubernetes, Istio and the Prometheus Operator to the published schemas, offline: the compiled JSON
 * schemas of `kubernetes-models` find wrong and missing values, its TypeScript types find fields that do not exist. Kinds of
 * gateways, which no package publishes, are held to gateway-schemas.mjs.
 */
import ts from 'typescript';
import { gatewayProblems, isGatewayKind } from './gateway-schemas.mjs';
import { inRepository } from './repository.mjs';

/** @typedef {{ apiVersion: string, kind: string, metadata: { name: string }, [field: string]: unknown }} Manifest */

/**
 * @param {string} apiVersion
 * @returns {string} the module that has its kinds
 */
const moduleOf = (apiVersion) => {
  if (apiVersion.includes('istio.io/')) return `@kubernetes-models/istio/${apiVersion}`;
  if (apiVersion.startsWith('monitoring.coreos.com/'))
    return `@kubernetes-models/prometheus-operator/${apiVersion}`;
  return `kubernetes-models/${apiVersion}`;
};

/**
 * @param {Manifest} manifest
 * @returns {Manifest} without `targetRefs` of Istio's policies, which is newer than the published types
 */
export function asPublished(manifest) {
  const spec = /** @type {Record<string, unknown> | undefined} */ (manifest['spec']);
  if (!manifest.apiVersion.includes('istio.io/') || !spec || !('targetRefs' in spec)) return manifest;
  const rest = Object.entries(spec).filter(([field]) => field !== 'targetRefs');
  return { ...manifest, spec: Object.fromEntries(rest) };
}

/**
 * @param {Manifest} manifest
 * @returns {Promise<string[]>} what the JSON schema of its kind finds
 */
export async function schemaProblems(manifest) {
  if (isGatewayKind(manifest)) return gatewayProblems(manifest);
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
 * @param {readonly Manifest[]} all those of gateways are left out: their schemas are strict
 * @returns {string[]} what it finds
 */
export function unknownFields(all) {
  const manifests = all.filter((manifest) => !isGatewayKind(manifest));
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
