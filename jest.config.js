/** Two files at a time, the longest first: the end-to-end tests start real servers, more of them would starve each other. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  testSequencer: '<rootDir>/scripts/jest-sequencer.mjs',
  maxWorkers: 2,
  testTimeout: 30_000,
};
