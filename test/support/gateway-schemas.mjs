// @ts-check
/**
 * What deploy/ uses of the kinds of gateways, written after their API definitions. Strict: a field that is not here is
 * refused, so that one that the gateway does not know cannot slip in.
 */
import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
const port = z.int().min(1).max(65535);
const labels = z.record(z.string(), z.string());
/** Gateway API: hours, minutes, seconds, milliseconds. */
const duration = z.string().regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/);
const metadata = z.strictObject({ name, namespace: name.optional(), labels: labels.optional() });
const targetRefs = z
  .array(
    z.strictObject({
      group: z.literal('gateway.networking.k8s.io'),
      kind: z.enum(['Gateway', 'HTTPRoute', 'GRPCRoute']),
      name,
      sectionName: name.optional(),
    }),
  )
  .min(1);

/** Envoy Gateway 1.9: SecurityPolicy, as far as `extAuth` goes. */
const securityPolicy = z.strictObject({
  targetRefs,
  extAuth: z.strictObject({
    grpc: z.strictObject({
      backendRefs: z
        .array(
          z.strictObject({
            group: z.literal('').optional(),
            kind: z.literal('Service').optional(),
            name,
            namespace: name.optional(),
            port,
          }),
        )
        .min(1),
    }),
    timeout: duration.optional(),
    failOpen: z.literal(false),
    statusOnError: z.literal(503),
    contextExtensions: z
      .array(z.strictObject({ name: z.string(), type: z.literal('Value'), value: z.string() }))
      .optional(),
  }),
});

/** Gateway API 1.5: ReferenceGrant v1beta1. */
const referenceGrant = z.strictObject({
  from: z.array(z.strictObject({ group: z.string(), kind: z.string(), namespace: name })).min(1),
  to: z.array(z.strictObject({ group: z.string(), kind: z.string(), name: name.optional() })).min(1),
});

/** @type {Readonly<Record<string, z.ZodType>>} */
const SPECS = {
  'gateway.envoyproxy.io/v1alpha1 SecurityPolicy': securityPolicy,
  'gateway.networking.k8s.io/v1beta1 ReferenceGrant': referenceGrant,
};

/** @typedef {{ apiVersion: string, kind: string, [field: string]: unknown }} Manifest */

const GROUPS = ['gateway.envoyproxy.io/', 'gateway.networking.k8s.io/'];

/** @param {Manifest} manifest */
export const isGatewayKind = ({ apiVersion }) => GROUPS.some((group) => apiVersion.startsWith(group));

/**
 * @param {Manifest} manifest
 * @returns {string[]} what is wrong with it
 */
export function gatewayProblems(manifest) {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const spec = SPECS[kind];
  if (spec === undefined) return [`${kind} has no schema in gateway-schemas.mjs`];
  const whole = z.strictObject({ apiVersion: z.string(), kind: z.string(), metadata, spec });
  const { error } = whole.safeParse(manifest);
  return error ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) : [];
}
