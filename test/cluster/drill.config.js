/** `npm run drill`: the recovery drill alone, without the control planes that the other tests of this folder share. */
const { globalSetup, globalTeardown, ...shared } = require('../../jest.cluster.config.js');

module.exports = { ...shared, rootDir: '../..', testMatch: ['<rootDir>/test/cluster/recovery-drill.cluster.ts'] };
