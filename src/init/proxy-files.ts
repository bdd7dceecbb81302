/** The files for the proxy, made of those that the package comes with, so that there is one copy of each. */
import { readFileSync } from 'node:fs';
import { parseAllDocuments, parseDocument, type Document, isMap, isSeq } from 'yaml';

/** A file to be written. */
export interface NewFile {
  /** Relative to the folder. */
  readonly path: string;
  readonly content: string;
}

const inPackage = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** @returns the Envoy or Istio files */
export function proxyFiles(front: 'envoy' | 'istio'): NewFile[] {
  if (front === 'envoy') return [{ path: 'envoy.yaml', content: envoyFile(inPackage('envoy.yaml')) }];
  return [
    { path: 'istio/mesh-config.yaml', content: meshConfig(inPackage('deploy/istio/mesh-config.yaml')) },
    { path: 'istio/authorization-policy.yaml', content: inPackage('deploy/istio/authorization-policy.yaml') },
  ];
}

const HEADER = ` A complete Envoy in front of a service, with Portcullis deciding every request:

   portcullis serve --config portcullis.yaml     (gRPC on 127.0.0.1:9191)
   envoy -c envoy.yaml                           (clients on 127.0.0.1:10000)

 and your service on 127.0.0.1:8080; change the cluster \`upstream\`. For Envoy 1.37 and later.`;

const ROUTES = [
  ...['static_resources', 'listeners', 0, 'filter_chains', 0, 'filters', 0],
  ...['typed_config', 'route_config', 'virtual_hosts'],
];

/** Without the virtual host whose policies the first configuration does not have. */
function envoyFile(text: string): string {
  const document = parseDocument(text);
  document.commentBefore = HEADER;
  const hosts = document.getIn(ROUTES);
  if (!isSeq(hosts)) throw new Error('envoy.yaml has no virtual hosts');
  hosts.items = hosts.items.filter((host) => isMap(host) && host.get('name') !== 'orders');
  return write(document);
}

/** The provider `portcullis` alone. */
function meshConfig(text: string): string {
  const [document] = parseAllDocuments(text);
  const providers =
    document === undefined || !('getIn' in document)
      ? undefined
      : document.getIn(['spec', 'meshConfig', 'extensionProviders']);
  if (document === undefined || !isSeq(providers)) throw new Error('mesh-config.yaml has no providers');
  providers.items = providers.items.filter((one) => isMap(one) && one.get('name') === 'portcullis');
  return write(document);
}

function write(document: Document): string {
  return document.toString({ lineWidth: 0, singleQuote: true });
}
