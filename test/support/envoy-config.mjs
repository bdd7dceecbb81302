// @ts-check
/** The envoy.yaml of this repository, moved to other ports, or changed in places for one test. */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { inRepository } from './repository.mjs';

/** The port numbers in envoy.yaml, each there once. */
export const WRITTEN_PORTS = { admin: 9901, listener: 10000, portcullis: 9191, upstream: 8080 };

/** @typedef {Record<keyof typeof WRITTEN_PORTS, number>} EnvoyPorts */

/**
 * envoy.yaml as it is, but for `port_value: …`. Plain text: comments and all stay.
 * @param {EnvoyPorts} ports
 * @returns {string}
 */
export function envoyYaml(ports) {
  let text = readFileSync(inRepository('envoy.yaml'), 'utf8');
  for (const [name, written] of Object.entries(WRITTEN_PORTS)) {
    const line = `port_value: ${written} }`;
    if (text.split(line).length !== 2) throw new Error(`envoy.yaml must have "${line}" exactly once`);
    text = text.replace(line, `port_value: ${ports[/** @type {keyof EnvoyPorts} */ (name)]} }`);
  }
  return text;
}

/**
 * Parts of a parsed envoy.yaml that tests change. Loosely typed on purpose: it is Envoy that checks them.
 * @typedef {object} EnvoyParts
 * @property {any} root
 * @property {any} listener
 * @property {any} filterChain
 * @property {any} manager the HTTP connection manager
 * @property {any} extAuthz
 * @property {any} portcullis the cluster
 */

/**
 * envoy.yaml with changes.
 * @param {EnvoyPorts} ports
 * @param {(parts: EnvoyParts) => void} change writes to the parts
 * @returns {string}
 */
export function changedEnvoyYaml(ports, change) {
  const root = parse(envoyYaml(ports));
  const listener = root.static_resources.listeners[0];
  const filterChain = listener.filter_chains[0];
  const manager = filterChain.filters[0].typed_config;
  const extAuthz = manager.http_filters.find(
    (/** @type {{ name: string }} */ filter) => filter.name === 'envoy.filters.http.ext_authz',
  ).typed_config;
  const portcullis = root.static_resources.clusters.find(
    (/** @type {{ name: string }} */ cluster) => cluster.name === 'portcullis',
  );
  change({ root, listener, filterChain, manager, extAuthz, portcullis });
  return stringify(root, { lineWidth: 0 });
}
