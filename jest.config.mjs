/** Types are checked by `npm run types`; here each file is only transpiled, so that tests start fast. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': ['ts-jest', { useESM: true, diagnostics: false }],
  },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.tools/'],
  testTimeout: 30_000,
  collectCoverageFrom: [
    'src/**/*.ts',
    '!src/main.ts',
    '!src/**/types.ts',
    // They run in processes of their own, which test/e2e starts and coverage does not follow.
    '!src/server/{primary,worker,worker-pool,worker-process}.ts',
    // Tested where DynamoDB Local is asked for.
    ...(process.env.PORTCULLIS_TEST_DYNAMODB === '1' ? [] : ['!src/token-service/stores/dynamodb*.ts']),
  ],
  coverageDirectory: 'coverage',
  coverageReporters: ['text-summary', 'json-summary', 'lcovonly'],
};
