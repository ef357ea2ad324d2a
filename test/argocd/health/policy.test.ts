/** Proves the table of who judges which kind, and the way of the scripts into Argo CD's configuration. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  type HealthPolicy,
  healthChecks,
  healthCustomizations,
  healthKey,
  healthPolicy,
  healthPolicyOf,
  ownHealthKinds,
  readHealthCheck,
} from '../../../argocd/health';

describe('the health policy', () => {
  const entries = Object.entries(healthPolicy) as [string, HealthPolicy][];

  test('gives a reason, as a sentence, for every kind without a check', () => {
    const reasons = entries.map(([, policy]) => (policy.check === 'none' ? policy.reason : 'Some sentence.'));
    expect(reasons.filter((reason) => !/^[A-Z].{20,}\.$|^Some sentence\.$/.test(reason))).toEqual([]);
  });

  test('names a kind of the core group by its kind alone', () => {
    expect(healthKey('v1', 'Service')).toBe('Service');
  });

  test('names any other kind by group and kind, without the version', () => {
    expect(healthKey('apps/v1', 'StatefulSet')).toBe('apps/StatefulSet');
  });

  test('finds the policy of an object', () => {
    expect(healthPolicyOf('agones.dev/v1', 'Fleet')).toBe(healthPolicy['agones.dev/Fleet']);
  });

  test('does not know a kind that nobody has decided on', () => {
    expect(healthPolicyOf('example.org/v1', 'Gadget')).toBeUndefined();
  });

  test('does not take an inherited property for a kind', () => {
    expect(healthPolicyOf('v1', 'constructor')).toBeUndefined();
  });
});

describe('the health checks', () => {
  test('are there for exactly the kinds that are ours to judge', () => {
    expect(Object.keys(healthChecks)).toEqual([...ownHealthKinds]);
  });

  test('are installed under the keys that Argo CD reads', () => {
    expect(Object.keys(healthCustomizations())).toContain('resource.customizations.health.argoproj.io_Application');
  });

  test('are installed as they are written', () => {
    expect(healthCustomizations()['resource.customizations.health.agones.dev_Fleet']).toBe(healthChecks['agones.dev/Fleet']);
  });

  test('say which file is missing and where to run the command', () => {
    const elsewhere = mkdtempSync(path.join(tmpdir(), 'health-'));
    try {
      expect(() => readHealthCheck('agones.dev/Fleet', elsewhere)).toThrow(
        /^The health check of agones\.dev\/Fleet could not be read from .*agones\.dev_Fleet\.lua: .*root folder\.$/,
      );
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});
