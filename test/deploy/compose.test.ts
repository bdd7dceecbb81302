import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { WRITTEN_PORTS } from '../support/envoy-config.mjs';
import { inRepository } from '../support/repository.mjs';

const read = (path: string) => readFileSync(inRepository(path), 'utf8');
const compose = parse(read('deploy/compose.yaml'), { merge: true });
const dockerfile = read('deploy/Dockerfile');

/** The compose file's sed, run on this repository's envoy.yaml. */
const envoyInCompose = (): any => {
  const [sed] = compose.services.envoy.command[0].split(' > ');
  const command = sed.replace('/etc/envoy/envoy.yaml', inRepository('envoy.yaml'));
  return parse(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }));
};

const addressOf = (cluster: any) =>
  cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address;

describe('deploy/compose.yaml', () => {
  test('envoy.yaml gets the addresses of the containers, and nothing else', () => {
    const changed = envoyInCompose();
    const [portcullis, upstream] = changed.static_resources.clusters;
    expect(changed.static_resources.listeners[0].address.socket_address.address).toBe('0.0.0.0');
    expect(changed.admin.address.socket_address.address).toBe('127.0.0.1');
    expect(addressOf(portcullis)).toEqual({ address: 'portcullis', port_value: WRITTEN_PORTS.portcullis });
    expect(addressOf(upstream)).toEqual({ address: 'upstream', port_value: WRITTEN_PORTS.upstream });
    changed.static_resources.listeners[0].address.socket_address.address = '127.0.0.1';
    addressOf(portcullis).address = '127.0.0.1';
    addressOf(upstream).address = '127.0.0.1';
    expect(changed).toEqual(parse(read('envoy.yaml')));
  });

  test('its Portcullis is configured as the demo is, but for addresses, Redis, and what needs a public port', () => {
    const { redis, replay, jwks, ...containers } = parse(read('deploy/compose/portcullis.yaml'));
    const demo = parse(read('deploy/demo/portcullis.yaml'));
    expect({ redis, replay, jwks }).toEqual({
      redis: { url: '${env:REDIS_URL}' },
      replay: { store: 'redis' },
      jwks: { allowHttp: true },
    });
    delete containers.dpop.origins;
    containers.server.grpc = demo.server.grpc;
    delete demo.server.public;
    delete demo.tokens;
    delete demo.issuers[0].logout;
    containers.issuers[0].issuer = demo.issuers[0].issuer;
    expect(containers).toEqual(demo);
  });

  test('its issuer is the one of the authorization server', () => {
    const { issuers } = parse(read('deploy/compose/portcullis.yaml'));
    expect(compose.services['authorization-server'].environment.ISSUER).toBe(issuers[0].issuer);
  });

  test.each(Object.keys(compose.services))('%s publishes on loopback only', (name) => {
    for (const port of compose.services[name].ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test('every file that it mounts or runs is there', () => {
    const files = [
      ...compose.services.envoy.volumes.map((volume: string) => `deploy/${volume.split(':')[0]}`),
      ...compose.services.portcullis.volumes.map((volume: string) => `deploy/${volume.split(':')[0]}`),
      compose.services.upstream.command[1],
      compose.services.client.command[1],
    ];
    for (const file of files) expect([file, existsSync(inRepository(file))]).toEqual([file, true]);
  });
});

describe('deploy/Dockerfile', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
    files!.split(' '),
  );

  test('the last stage is not root', () => {
    const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(lastStage).toMatch(/^USER 65532:65532$/m);
    expect(lastStage).toMatch(/^HEALTHCHECK /m);
  });

  test('takes a command, and listens where Envoy can reach it [operators 13]', () => {
    expect(dockerfile).toMatch(/^ENTRYPOINT \["\/nodejs\/bin\/node", "\/app\/bin\/portcullis\.js"\]$/m);
    expect(dockerfile).toMatch(/^CMD \["serve", /m);
    expect(dockerfile).toMatch(/^ENV .*PORTCULLIS_GRPC=0\.0\.0\.0:9191$/m);
  });

  test.each(copied)('%s is in the repository and in the build context', (file) => {
    expect(existsSync(inRepository(file))).toBe(true);
    const context = read('.dockerignore').split('\n');
    expect(context.some((line) => line.startsWith('!') && file.startsWith(line.slice(1)))).toBe(true);
  });
});
