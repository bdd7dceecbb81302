/** What somebody else's compiler makes of the types that are published. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { ensureBuilt } from '../support/ensure-built.mjs';
import { inRepository } from '../support/repository.mjs';

// Below the repository, so that packages are found as they are from a project that has installed them.
const folder = inRepository('dist', '.type-test');

beforeAll(() => {
  ensureBuilt();
  mkdirSync(folder, { recursive: true });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STRICT: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  noEmit: true,
  skipLibCheck: false,
};

/** Compiles a program of one file. @returns what the compiler says, and the packages whose types it read */
function compile(source: string, options: ts.CompilerOptions): { messages: string[]; packages: Set<string> } {
  const file = join(folder, 'program.ts');
  writeFileSync(file, source);
  const program = ts.createProgram([file], { ...STRICT, ...options });
  const messages = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  const names = program
    .getSourceFiles()
    .flatMap(({ fileName }) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(fileName)?.[1] ?? []);
  return { messages, packages: new Set(names.filter((name) => name !== 'typescript')) };
}

describe('the types of portcullis', () => {
  test('need no types of Node, of metrics, logs or frameworks', () => {
    const { messages, packages } = compile(
      `import { createGate, hasScopes, requireRole, verifyIdentityToken, type Auth, type ConfigInput, type Gate } from 'portcullis';
      const config: ConfigInput = {
        issuers: [{ issuer: 'https://login.example.com', audiences: ['https://api.example.com'] }],
        policies: { read: { scopes: { any: ['a'] } } },
        dpop: { mode: 'required', maxAge: '30s' },
      };
      const gate: Gate = await createGate(config, { env: {} });
      const decision = await gate.decide({ method: 'GET', target: '/', host: 'a', headers: [['a', 'b']] }, { scopes: 'a' });
      if (decision.allowed) {
        const auth: Auth | undefined = decision.auth;
        hasScopes(auth, ['a']);
        requireRole(auth, 'admin');
      } else {
        const status: number = decision.status;
        void status;
      }
      void verifyIdentityToken('', { issuer: '', audience: '', jwks: { keys: [] } });`,
      { types: [], lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'] },
    );
    expect(messages).toEqual([]);
    expect([...packages]).toEqual(['zod']);
  });

  test.each([
    ['a key that is none', `await createGate({ issuer: 'x' });`, "'issuer' does not exist"],
    ['a value that is none', `await createGate({ dpop: { mode: 'always' } });`, '"always"'],
    ['the caller where nobody may be', `(await gate.decide(request)).auth;`, "'auth' does not exist"],
  ])('%s does not compile', (_name, statement, message) => {
    const { messages } = compile(
      `import { createGate, type Gate, type GateRequest } from 'portcullis';
      declare const gate: Gate;
      declare const request: GateRequest;
      ${statement}
      void gate; void request;`,
      { types: [], lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'] },
    );
    expect(messages.join('\n')).toContain(message);
  });
});
