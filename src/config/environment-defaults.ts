import { asTree } from './config-value.js';

/** Where the gRPC port listens when the file does not say so. The container image sets it: in a container, loopback cannot be reached from outside. */
const GRPC_VARIABLE = 'PORTCULLIS_GRPC';

/**
 * Fills in defaults that the environment has others of. What the file says always wins.
 *
 * @param tree the file as plain data, not checked yet
 * @param env values are checked like those of the file
 */
export function withEnvironmentDefaults(
  tree: unknown,
  env: Readonly<Record<string, string | undefined>>,
): unknown {
  const grpc = env[GRPC_VARIABLE];
  const root = asTree(tree);
  if (grpc === undefined || root === undefined) return tree;
  const server = root.server === undefined ? {} : asTree(root.server);
  if (server === undefined || server.grpc !== undefined) return tree;
  return Object.assign(Object.create(null) as object, root, {
    server: Object.assign(Object.create(null) as object, server, { grpc }),
  });
}
