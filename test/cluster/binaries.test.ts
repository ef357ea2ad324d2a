/** The programs that tests of a cluster may do without, and those that a run requires. */
import { unlessRequired } from './binaries';

const before = process.env.CLUSTER_TESTS_REQUIRE;
afterEach(() => {
  if (before === undefined) delete process.env.CLUSTER_TESTS_REQUIRE;
  else process.env.CLUSTER_TESTS_REQUIRE = before;
});

test('a missing program is a reason to skip', () => {
  delete process.env.CLUSTER_TESTS_REQUIRE;
  expect(unlessRequired('sealed-secrets', 'kubeseal is not installed')).toBe('kubeseal is not installed');
});

test('a missing program that the run requires is an error', () => {
  process.env.CLUSTER_TESTS_REQUIRE = 'argo-cd,sealed-secrets';
  expect(() => unlessRequired('sealed-secrets', 'kubeseal is not installed')).toThrow(
    'CLUSTER_TESTS_REQUIRE names sealed-secrets, but kubeseal is not installed.',
  );
});

test('a required program that is there is no error', () => {
  process.env.CLUSTER_TESTS_REQUIRE = 'argo-cd,sealed-secrets';
  expect(unlessRequired('sealed-secrets', undefined)).toBeUndefined();
});
