/** Three files at a time, the longest first: what the end-to-end tests wait for is time that others can use. */
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
  maxWorkers: 3,
  testTimeout: 60_000,
};
