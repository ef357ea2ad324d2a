/**
 * Proves the health checks on fixtures: fixtures/<group>_<Kind>/<verdict>-<situation>.yaml is an object in that situation,
 * and its first line, `# says: …`, is the message that an operator reads. That the scripts are Lua which Argo CD can run
 * is the matter of script.test.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { type HealthPolicy, healthChecks, healthPolicy, ownHealthKinds } from '../../../argocd/health';
import { runHealthCheck } from './lua';

const FIXTURES = path.join(__dirname, 'fixtures');

interface Fixture {
  readonly name: string;
  readonly verdict: string;
  readonly says: string;
  readonly object: { readonly apiVersion: string; readonly kind: string; readonly status?: unknown };
}

function fixturesOf(kind: string): Fixture[] {
  const folder = path.join(FIXTURES, kind.replace('/', '_'));
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const yaml = readFileSync(path.join(folder, file), 'utf8');
      const name = path.basename(file, '.yaml');
      const word = name.slice(0, name.indexOf('-'));
      return {
        name,
        verdict: word.charAt(0).toUpperCase() + word.slice(1),
        says: /^# says:(.*)\n/.exec(yaml)?.[1]?.trim() ?? 'a first line "# says: …"',
        object: parse(yaml),
      };
    });
}

describe.each(ownHealthKinds.map((kind) => ({ kind })))('the health check of $kind', ({ kind }) => {
  const fixtures = fixturesOf(kind);
  const policy: HealthPolicy = healthPolicy[kind];

  test.each(fixtures)('calls $name by its name and its reason', ({ verdict, says, object }) => {
    const answer = runHealthCheck(healthChecks[kind], object);
    expect({ status: answer.status, message: answer.message ?? '' }).toEqual({ status: verdict, message: says });
  });

  test('has a fixture for every verdict that it can give, and for no other', () => {
    const verdicts = policy.check === 'ours' ? policy.verdicts : [];
    expect([...new Set(fixtures.map((fixture) => fixture.verdict))].sort()).toEqual([...verdicts].sort());
  });

  test('has a fixture of an object without a status', () => {
    expect(fixtures.find((fixture) => fixture.name === 'progressing-missing-status')?.object).not.toHaveProperty('status');
  });

  test('has fixtures of its own kind only', () => {
    const kinds = fixtures.map(({ object }) => `${object.apiVersion.split('/')[0]}/${object.kind}`);
    expect(new Set(kinds)).toEqual(new Set([kind]));
  });
});

test('every folder of fixtures belongs to a check', () => {
  expect(readdirSync(FIXTURES).sort()).toEqual(ownHealthKinds.map((kind) => kind.replace('/', '_')).sort());
});

describe('the phases of CloudNativePG 1.30', () => {
  const phases: readonly [string, string][] = [
    ['Cluster in healthy state', 'Healthy'],
    ['Setting up primary', 'Progressing'],
    ['Creating a new replica', 'Progressing'],
    ['Upgrading cluster', 'Progressing'],
    ['Upgrading Postgres major version', 'Progressing'],
    ['Cluster upgrade delayed', 'Progressing'],
    ['Online upgrade in progress', 'Progressing'],
    ['Applying configuration', 'Progressing'],
    ['Promoting to primary cluster', 'Progressing'],
    ['Switchover in progress', 'Progressing'],
    ['Waiting for the instances to become active', 'Progressing'],
    ['Primary instance is being restarted in-place', 'Progressing'],
    ['Primary instance is being restarted without a switchover', 'Progressing'],
    ['Waiting for user action', 'Suspended'],
    ['Failing over', 'Degraded'],
    ['Unable to create required cluster objects', 'Degraded'],
    ['Invalid cluster definition', 'Degraded'],
    ['Cluster cannot proceed to reconciliation due to an unknown plugin being required', 'Degraded'],
    ['Cluster cannot proceed to reconciliation due to an error while interacting with plugins', 'Degraded'],
    ['Cluster has incomplete or invalid image catalog', 'Degraded'],
    ['Cluster cannot execute instance online upgrade due to missing architecture binary', 'Degraded'],
    ['Cluster is unrecoverable and needs manual intervention', 'Degraded'],
  ];

  test.each(phases)('"%s" is %s', (phase, verdict) => {
    const cluster = { spec: { instances: 1 }, status: { phase, readyInstances: 1 } };
    expect(runHealthCheck(healthChecks['postgresql.cnpg.io/Cluster'], cluster).status).toBe(verdict);
  });
});
