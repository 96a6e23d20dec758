// Two projects: `unit` (beside the source, no root, no network) and `integration` (real kernel, daemons, browser).
const base = {
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: {
    '^.+\\.tsx?$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript', tsx: false }, target: 'es2022' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testEnvironment: '<rootDir>/tools/jest-environment.mjs',
  // Never put "import" here: jest adds it, and CommonJS packages would resolve to their ESM files.
  testEnvironmentOptions: { customExportConditions: ['@skydive/source', 'node', 'node-addons'] },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.cache/'],
  setupFilesAfterEnv: ['<rootDir>/tools/jest-setup.mjs'],
}

export default {
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/packages/*/src/**/*.test.ts',
        '<rootDir>/packages/*/test/*.test.ts',
        '<rootDir>/apps/*/src/**/*.test.ts',
        '<rootDir>/apps/*/test/*.test.ts',
        '<rootDir>/tools/**/*.test.ts',
      ],
      testPathIgnorePatterns: ['/node_modules/', '\\.integration\\.test\\.ts$'],
    },
    {
      ...base,
      displayName: 'integration',
      setupFilesAfterEnv: [...base.setupFilesAfterEnv, '<rootDir>/tools/jest-integration-setup.mjs'],
      testMatch: [
        '<rootDir>/packages/*/test/**/*.integration.test.ts',
        '<rootDir>/apps/*/test/**/*.integration.test.ts',
        '<rootDir>/e2e/**/*.test.ts',
        '<rootDir>/tools/**/*.integration.test.ts',
      ],
    },
  ],
}
