/** Tests against real Kubernetes API servers (`npm run test:cluster`), apart from `npm test`: they need binaries (docs/how-to/test-on-a-real-api-server.md). */
module.exports = {
  ...require('./jest.config.js'),
  testMatch: ['<rootDir>/test/cluster/**/*.cluster.ts'],
  globalSetup: '<rootDir>/test/cluster/setup.ts',
  globalTeardown: '<rootDir>/test/cluster/teardown.ts',
  // Each step waits for servers, on a machine that may be busy.
  testTimeout: 120_000,
  // The files of a run mostly wait for servers, so they run side by side even on two cores.
  maxWorkers: 3,
};
