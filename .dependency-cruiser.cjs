/** The import rules of docs/architecture.md. Each says why it is there. */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle means that two rooms are one; neither can be read or tested alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports is dead, or an entry point that should be listed here.',
      severity: 'error',
      from: { orphan: true, pathNot: ['^src/((main|index|server)\\.ts$|adapters/)'] },
      to: {},
    },
    {
      name: 'nothing-imports-main',
      comment: 'main.ts runs on import.',
      severity: 'error',
      from: {},
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'only-entries-import-cli',
      comment: 'Commands are the outermost ring.',
      severity: 'error',
      from: { pathNot: '^src/(main\\.ts|cli/)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'authz-knows-no-transport',
      comment: 'The decision must be testable without a server, a file or a metrics registry.',
      severity: 'error',
      from: { path: '^src/authz/' },
      to: {
        path: '^src/(server|config|cli|observability)/|node_modules/(@grpc|prom-client|hono|pino|ioredis)',
      },
    },
    {
      name: 'core-knows-no-front',
      comment: 'A decision is the same on every front; what a front speaks is its own business.',
      severity: 'error',
      from: { path: '^src/(authz|jwt|jwk|jws|jwks|stores|http|config|observability|signing)/' },
      to: { path: '^src/(fronts|guard)/' },
    },
    {
      name: 'fronts-are-strangers',
      comment: 'A front is added or removed as a folder.',
      severity: 'error',
      from: { path: '^src/fronts/([^/]+)/' },
      to: { path: '^src/fronts/', pathNot: '^src/fronts/$1/' },
    },
    {
      name: 'fronts-open-no-configuration',
      comment: 'What a front needs arrives as arguments, so that a test or a library can use it alone.',
      severity: 'error',
      from: { path: '^src/(fronts|guard)/' },
      to: {
        path: '^src/(server|config|cli|runtime|observability)/|^src/(runtime|gate|explain)\\.ts$',
        pathNot: '^src/config/address\\.ts$',
      },
    },
    {
      name: 'http2-knows-no-gate',
      comment:
        'The lean transport is HTTP/2 and gRPC: it can be read, tested and replaced without knowing what it serves, and nothing of a token reaches it.',
      severity: 'error',
      from: { path: '^src/fronts/envoy/http2/' },
      to: { path: '^src/|node_modules/', pathNot: '^src/fronts/envoy/http2/|^node_modules/@types/node/' },
    },
    {
      name: 'stages-are-strangers',
      comment: 'A stage that imports a stage cannot be reordered or left out.',
      severity: 'error',
      from: { path: '^src/authz/stages/' },
      to: { path: '^src/authz/stages/' },
    },
    {
      name: 'kinds-are-strangers',
      comment:
        'Adding a kind of token touches its own file and the list of kinds; a kind never depends on another.',
      severity: 'error',
      from: { path: '^src/authz/token/(jwt|introspected|sealed|pat)\\.ts$' },
      to: { path: '^src/authz/token/(jwt|introspected|sealed|pat|verifier|token-cache)\\.ts$' },
    },
    {
      name: 'keys-know-no-policy',
      comment: 'Key sets serve decisions; they do not take part in them.',
      severity: 'error',
      from: { path: '^src/(jwks|jws|jwk|http|stores|signing|introspection)/' },
      to: { path: '^src/(authz|server|cli|config)/' },
    },
    {
      name: 'runtime-knows-no-process',
      comment:
        'What answers Checks is the same alone, in a worker and in a test; processes are composed of it.',
      severity: 'error',
      from: { path: '^src/(runtime|guard|revocation|signing|web)/' },
      to: { path: '^src/(server|cli)/' },
    },
    {
      name: 'library-opens-no-port',
      comment:
        "A gate in somebody else's process has services and stores, and nothing that listens or ends the process.",
      severity: 'error',
      from: { path: '^src/library/' },
      to: {
        path: '^src/(cli|adapters)/|^src/server/(start|alone|primary|worker|owner|http-port|public|admin)',
      },
    },
    {
      name: 'one-http-client',
      comment: 'Time-outs, size caps, refused redirects and address checks are in one place, or nowhere.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(http/|server/http-port\\.ts|adapters/node\\.ts)' },
      to: { path: 'node_modules/undici|^(node:)?https?$' },
    },
    {
      name: 'one-redis-client',
      comment: 'Connection handling, time-outs and TLS of Redis are in one place.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/stores/redis' },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'no-dev-dependencies-in-src',
      comment: 'What ships must be in dependencies.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'adapters-import-their-own-framework',
      comment:
        'A framework is an optional peer: whoever imports an adapter has it, and nobody else needs it.',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)\\.ts$' },
      to: {
        path: 'node_modules/|^src/(adapters|server|cli|runtime|config)/',
        pathNot: 'node_modules/(@types/|@connectrpc/)?$1|node_modules/@nestjs/',
      },
    },
    {
      name: 'only-entries-are-adapters',
      comment: 'A gate must load without any framework.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/' },
      to: { path: '^src/adapters/' },
    },
    {
      name: 'not-to-unresolvable',
      comment: 'An import that cannot be resolved fails at run time.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
