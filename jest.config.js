/** Tests: TypeScript through swc (types are `npm run typecheck`'s business), every snapshot in one folder. */
module.exports = {
  testEnvironment: 'node',
  // A machine may be busy; nothing here measures time.
  testTimeout: 60_000,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }] },
  snapshotResolver: '<rootDir>/test/snapshot-resolver.js',
};
