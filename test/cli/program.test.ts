import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StartServer } from '../../src/cli/serve.js';
import { ConfigError } from '../../src/config/problems.js';
import type { CliDependencies } from '../../src/cli/program.js';
import { runCommand } from './run-command.js';

let folder: string;
let good: string;
let bad: string;
let risky: string;
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-cli-'));
  const issuers = 'issuers: [{ issuer: "https://a.example", audiences: [x] }]\n';
  good = write('good.yaml', issuers);
  bad = write(
    'bad.yaml',
    `${issuers}nope: 1\ndpop: { mode: sometimes }\njwks: { timeout: x }\nlog: { level: loud }\nroutes: [{ policy: nope }]`,
  );
  risky = write('risky.yaml', `${issuers}server: { failure: error }`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('runCli() wrong usage', () => {
  test.each([
    ['no command', []],
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['--nope']],
    ['an unknown option of a command', ['serve', '--nope']],
    ['serve without --config', ['serve']],
    ['validate without --config', ['validate']],
    ['--config without a file', ['validate', '--config']],
    ['an argument too many', ['validate', '--config', 'x', 'y']],
    ['keys without what', ['keys']],
    ['keys with something unknown', ['keys', 'shred']],
    ['a key algorithm that is none', ['keys', 'generate', '--alg', 'none']],
    ['a key algorithm of secrets', ['keys', 'generate', '--alg', 'HS256']],
    ['an empty kid', ['keys', 'generate', '--kid', '']],
    ['a kid with a line break', ['keys', 'generate', '--kid', 'a\nb']],
  ])('%s: 2, told on stderr alone', async (_name, args) => {
    const { code, out, err } = await runCommand(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).not.toBe('');
  });
});

describe('runCli()', () => {
  test('--version', async () =>
    expect(await runCommand(['--version'])).toEqual({ code: 0, out: '1.2.3', err: '' }));

  test.each([[['--help']], [['help']], [['serve', '--help']], [['keys', 'generate', '--help']]])(
    '%j: 0, on stdout',
    async (args) => {
      const { code, out, err } = await runCommand(args);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/Usage: portcullis/);
    },
  );

  test('schema', async () => {
    const { code, out } = await runCommand(['schema']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ additionalProperties: false, properties: { issuers: {} } });
  });

  test('a bug: 1, one line, no stack', async () => {
    const startServer = (): never => {
      throw new Error('boom\n  at x');
    };
    expect(await runCommand(['serve', '-c', good], { loadServer: async () => startServer })).toMatchObject({
      code: 1,
      err: 'portcullis: cannot serve: boom',
    });
    const checkIssuers = startServer;
    expect(await runCommand(['validate', '--online', '-c', good], { checkIssuers })).toMatchObject({
      code: 1,
      err: 'portcullis: boom',
    });
  });
});

describe('runCli() validate', () => {
  test('a good file: 0', async () =>
    expect(await runCommand(['validate', '--config', good])).toEqual({
      code: 0,
      out: `${good}: ok`,
      err: '',
    }));

  test('warnings do not fail', async () => {
    const { code, err } = await runCommand(['validate', '-c', risky]);
    expect([code, err]).toEqual([0, expect.stringMatching(/^warning: server\.failure: /)]);
  });

  test('five mistakes: 1, five lines', async () => {
    const { code, out, err } = await runCommand(['validate', '--config', bad]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.split('\n').map((line) => line.split(': ')[0])).toEqual([
      'jwks.timeout',
      'dpop.mode',
      'log.level',
      'nope',
      'routes[0].policy',
    ]);
  });

  test('a file that is not there: 1', async () => {
    expect(await runCommand(['validate', '-c', '/nonexistent/x.yaml'])).toEqual({
      code: 1,
      out: '',
      err: '/nonexistent/x.yaml: does not exist',
    });
  });

  test('a file that is no YAML: 1, the place, no stack', async () => {
    const file = write('broken.yaml', 'a: [1,\nb: }');
    const { code, err } = await runCommand(['validate', '-c', file]);
    expect(code).toBe(1);
    expect(err.split('\n')[0]).toMatch(/broken\.yaml:1:4: /);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test('asks no issuer without --online', async () =>
    expect((await runCommand(['validate', '-c', good])).code).toBe(0));

  test.each([
    [true, 0],
    [false, 1],
  ])('--online, with keys %s: %d, a line per issuer', async (ok, expected) => {
    const checkIssuers = async () => [
      { index: 0, issuer: 'https://a.example', ok: true, text: 'ok, keys usable: 1' },
      { index: 1, issuer: 'https://b.example', ok, text: 'whatever' },
    ];
    const { code, out, err } = await runCommand(['validate', '--online', '-c', good], { checkIssuers });
    expect(code).toBe(expected);
    expect(out).toContain('issuers[0]: https://a.example: ok, keys usable: 1');
    expect(ok ? out : err).toContain('issuers[1]: https://b.example: whatever');
  });

  test.each([
    [true, 0],
    [false, 1],
  ])('--online, with Redis %s: %d, a line each', async (ok, expected) => {
    const checkIssuers = async () => [];
    const checkDependencies = async () => [{ path: 'redis', ok, text: 'whatever' }];
    const lent = { checkIssuers, checkDependencies };
    const { code, out, err } = await runCommand(['validate', '--online', '-c', good], lent);
    expect(code).toBe(expected);
    expect(ok ? out : err).toContain('redis: whatever');
  });
});

describe('runCli() serve', () => {
  test('starts with the configuration, and goes on', async () => {
    const started: Parameters<StartServer>[0][] = [];
    const startServer: StartServer = async (options) => started.push(options);
    expect(await runCommand(['serve', '--config', good], { loadServer: async () => startServer })).toEqual({
      code: undefined,
      out: '',
      err: '',
    });
    expect(started).toMatchObject([
      {
        configFile: good,
        files: [good],
        warnings: [],
        config: { issuers: [{ issuer: 'https://a.example' }] },
      },
    ]);
  });

  test('starts nothing with a bad one, and tells all', async () => {
    const { code, err } = await runCommand(['serve', '--config', bad]);
    expect([code, err.split('\n').length]).toEqual([1, 5]);
  });

  test.each([
    [
      'a port that is taken',
      new Error('listen EADDRINUSE: address already in use 127.0.0.1:1\n  more'),
      'portcullis: cannot serve: listen EADDRINUSE: address already in use 127.0.0.1:1',
    ],
    ['what only shows while starting', new ConfigError([{ path: 'a', text: 'b' }]), 'a: b'],
    ['something that says nothing', new Error(''), 'portcullis: cannot serve: '],
  ])('%s: 1, one line', async (_name, error, line) => {
    const startServer: StartServer = async () => {
      throw error;
    };
    expect(await runCommand(['serve', '-c', good], { loadServer: async () => startServer })).toEqual({
      code: 1,
      out: '',
      err: line,
    });
  });
});

describe('runCli() explain', () => {
  const explanation = {
    stages: [{ stage: 'decode', outcome: 'passed' }],
    decision: 'allow',
    reason: 'allowed',
    policy: 'default',
    chosenBy: 'route',
    response: { headers: [] },
  };

  test('prints stages and decision', async () => {
    const request = write('request.json', '{"attributes":{}}');
    const seen: unknown[] = [];
    const explainRequest = async (_config: unknown, recorded: unknown) => (seen.push(recorded), explanation);
    const { code, out } = await runCommand(['explain', '-c', good, '-r', request], { explainRequest });
    expect(code).toBe(0);
    expect(out).toMatch(/^decode {4}passed\n[^]*decision {2}allowed? \(allowed\)/);
    expect(seen).toEqual([{ attributes: {} }]);
    const json = await runCommand(['explain', '-c', good, '-r', request, '--json'], { explainRequest });
    expect(JSON.parse(json.out)).toEqual(explanation);
  });

  test.each([
    ['a request that is not there', () => join(folder, 'gone.json'), /gone\.json: does not exist/],
    [
      'a request that is no JSON, which is not quoted',
      () => write('token.json', 'Bearer abc.def'),
      /token\.json: must be JSON$/,
    ],
  ])('%s: 1', async (_name, request, expected) => {
    const { code, out, err } = await runCommand(['explain', '-c', good, '-r', request()]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(expected);
    expect(err).not.toContain('abc');
  });

  test('a request that cannot be read as one: 1', async () => {
    const explainRequest = () => Promise.reject(new Error('no attributes'));
    const { code, err } = await runCommand(
      ['explain', '-c', good, '-r', write('r.json', '{"attributes":{}}')],
      {
        explainRequest,
      },
    );
    expect([code, err]).toEqual([1, expect.stringMatching(/r\.json: no attributes$/)]);
  });

  const denied = {
    ...explanation,
    stages: [
      { stage: 'select-policy', outcome: 'passed' },
      { stage: 'find-credential', outcome: 'denied: missing_credential' },
    ],
    decision: 'deny',
    reason: 'missing_credential',
    response: { http: 401 },
  };
  const line = JSON.stringify({
    level: 'info',
    decision: 'deny',
    reason: 'insufficient_scope',
    method: 'GET',
    path: '/a',
    host: 'h.example',
    requirement: 'scopes.all',
    expected: ['orders:write'],
  });
  const recording = (result: object = explanation) => {
    const seen: { recorded: unknown; options: unknown }[] = [];
    const explainRequest: CliDependencies['explainRequest'] = (_config, recorded, options) => {
      seen.push({ recorded, options });
      return Promise.resolve(result as typeof explanation);
    };
    return { seen, explainRequest };
  };

  test('a line of the log, which holds no token: the logged reason, and no other one [operators 2]', async () => {
    const { code, out } = await runCommand(['explain', '-c', good, '-r', '-'], {
      ...recording(denied),
      stdin: line,
    });
    expect(code).toBe(0);
    expect(out).toContain('this line holds no token; logged reason: insufficient_scope');
    expect(out).toContain('requirement "scopes.all"; expected ["orders:write"]');
    expect(out).not.toContain('missing_credential');
  });

  test('a line of the log with its token is judged again, and differences are shown [operators 2]', async () => {
    const token = write('t.txt', 'Bearer a.b.c\n');
    const { seen, explainRequest } = recording();
    const args = ['explain', '-c', good, '-r', '-', '--token-file', token];
    const { out } = await runCommand(args, { explainRequest, stdin: line });
    expect(JSON.stringify(seen)).toContain('"authorization","value":"Bearer a.b.c"');
    expect(out).toMatch(/note +differs from the logged reason: insufficient_scope/);
    expect(out).not.toContain('a.b.c');
  });

  test('--method, --url, --header, --token-file and --fresh make the request [operators 2]', async () => {
    const { seen, explainRequest } = recording();
    await runCommand(
      [
        ...['explain', '-c', good, '--method', 'POST', '--url', 'https://h.example:8443/a%2fb?c=d'],
        ...[
          '--header',
          'DPoP: proof',
          '--header',
          'X-A: 1',
          '--header',
          'X-A: 2',
          '--token-file',
          '-',
          '--fresh',
        ],
      ],
      { explainRequest, stdin: 'a.b.c' },
    );
    const headers = [
      { key: 'dpop', value: 'proof' },
      { key: 'x-a', value: '1' },
      { key: 'x-a', value: '2' },
      { key: 'authorization', value: 'DPoP a.b.c' },
    ];
    const http = { method: 'POST', path: '/a%2fb?c=d', host: 'h.example:8443', header_map: { headers } };
    expect(seen).toEqual([
      { recorded: { attributes: { request: { http }, context_extensions: {} } }, options: { fresh: true } },
    ]);
  });

  test.each([
    ['allow', explanation, 0],
    ['allowed', explanation, 0],
    ['deny', explanation, 1],
    ['deny', denied, 0],
    ['401', denied, 0],
    ['403', denied, 1],
    ['missing_credential', denied, 0],
    ['insufficient_scope', denied, 1],
    ['deny', { ...denied, decision: 'error', response: { http: 503 } }, 1],
  ])('--expect %s exits as it should [operators 2]', async (expected, result, code) => {
    const args = ['explain', '-c', good, '--url', 'https://h.example/', '--expect', expected];
    const outcome = await runCommand(args, recording(result));
    expect(outcome.code).toBe(code);
    expect(outcome.err).toMatch(code === 0 ? /^$/ : /^expected \w+, got \w+ \(\w+/);
  });

  test.each([
    ['nothing to explain', []],
    ['a URL beside a request', ['-r', 'x.json', '--url', 'https://h.example/']],
    ['standard input twice', ['-r', '-', '--token-file', '-']],
    ['an outcome that is none', ['--url', 'https://h.example/', '--expect', 'alowed']],
    ['a header that is none', ['--url', 'https://h.example/', '--header', 'no colon']],
  ])('%s: 2', async (_name, args) => {
    const { code, err } = await runCommand(['explain', '-c', good, ...args]);
    expect([code, err]).toEqual([2, expect.stringMatching(/^portcullis: /)]);
  });
});
