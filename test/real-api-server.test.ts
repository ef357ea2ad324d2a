/**
 * Says in every run of `npm test` what it leaves out: the tests against real API servers, which need programs that may be absent.
 * It deliberately looks for none of them: those tests have a run of their own, which fails without.
 */
const LEFT_OUT = 'dist in a real API server: npm run test:cluster judges it (docs/how-to/test-on-a-real-api-server.md says what it needs)';

// jest names skipped tests only when it is asked to; this line is always there.
process.stderr.write(`skipped: ${LEFT_OUT}\n`);

test.skip(LEFT_OUT, () => undefined);
