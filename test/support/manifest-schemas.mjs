// @ts-check
/**
 * Holds manifests of Kubernetes, Istio and the Prometheus Operator to the published schemas, offline: the compiled JSON
 * schemas of `kubernetes-models` find wrong and missing values, its TypeScript types find fields that do not exist. Kinds of
 * gateways, which no package publishes, are held to gateway-schemas.mjs.
 */
import { compileAs } from './compile-as.mjs';
import { gatewayProblems, isGatewayKind } from './gateway-schemas.mjs';

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
 * @param {readonly Manifest[]} manifests those of gateways are left out: their schemas are strict
 * @returns {string[]} fields that the published types do not have
 */
export const unknownFields = (manifests) =>
  compileAs(
    manifests
      .filter((manifest) => !isGatewayKind(manifest))
      .map((manifest) => ({
        module: moduleOf(manifest.apiVersion),
        type: `I${manifest.kind}`,
        value: manifest,
        title: `${manifest.kind} ${manifest.metadata.name}`,
      })),
  );
