/** The recovery of the database: the edit, what the synth will write, and the archives that it refuses. */

import path from 'node:path';
import { parse } from 'yaml';
import type { ClusterDescription } from '../../lib/model/cluster';
import { planDatabaseRestore } from '../../lib/restore/database';
import { description, healthyProject } from '../doctor/project';
import { exampleHomelab, exampleLocal } from '../examples';

const NOW = new Date('2026-06-01T12:00:00Z');
const AT = '2026-05-20T18:30:00+02:00';
let secretsDirectory: string;

beforeAll(async () => {
  secretsDirectory = path.join((await healthyProject()).root, 'secrets');
});

const plan = (changes: Partial<Parameters<typeof planDatabaseRestore>[0]> = {}) =>
  planDatabaseRestore({ description, now: NOW, secretsDirectory, ...changes });
const edit = (changes: Parameters<typeof plan>[0]) => plan(changes).list.steps.find(({ title }) => title === 'Edit the description')?.note;
const cluster = (changes: Parameters<typeof plan>[0]) => parse(plan(changes).files.get('Cluster.postgres-2.yaml') ?? '');

test('is the next generation, from the archive before it, into an archive of its own', () => {
  const { metadata, spec } = cluster({});
  expect([
    metadata.name,
    spec.bootstrap.recovery.source,
    spec.externalClusters[0].plugin.parameters.serverName,
    spec.plugins[0].parameters.serverName,
  ]).toEqual(['postgres-2', 'postgres-1', 'postgres-1', 'postgres-2']);
});

test('goes back to the time that was asked for', () => {
  expect(cluster({ at: AT }).spec.bootstrap.recovery.recoveryTarget).toEqual({ targetTime: AT });
});

test('goes to the end of the archive without a time', () => {
  expect(cluster({}).spec.bootstrap.recovery.recoveryTarget).toBeUndefined();
});

test('shows what the synth will write, and says that nobody applies it by hand', () => {
  const { files } = plan();
  expect([...files.keys()]).toEqual(['Cluster.postgres-2.yaml', 'ScheduledBackup.postgres-2.yaml', 'README.md']);
  expect(files.get('Cluster.postgres-2.yaml')).toMatch(
    /^# What 'npm run synth' will write to dist\/homelab\/database\/database\/Cluster\.postgres-2\.yaml/,
  );
});

test('says the edit as the line to add', () => {
  expect(edit({ at: AT })).toBe(`In apps/homelab.ts, add the field:\n\n      database: { generation: 2, recoverTo: '${AT}' },`);
});

test('keeps what the field has, names its line, and forgets an earlier time', () => {
  const before = { ...description, database: { storage: '30Gi', generation: 2, recoverTo: '2026-01-01T00:00:00Z' } } as ClusterDescription;
  const source = "export const homelab = defineCluster({\n  name: 'homelab',\n  database: { storage: '30Gi', generation: 2 },\n});\n";
  expect(edit({ description: before, source })).toBe(
    "In apps/homelab.ts, line 3, replace the whole field 'database' by:\n\n      database: { storage: '30Gi', generation: 3 },",
  );
});

test('releases the old database from Git and nothing else', () => {
  expect(
    plan()
      .list.steps.flatMap(({ commands }) => commands)
      .filter((command) => command.startsWith('npm')),
  ).toEqual(['npm run synth -- --release Cluster/database/postgres-1']);
});

describe('is refused', () => {
  const window = { firstRecoverabilityPoint: '2026-05-10T03:15:00Z', lastSuccessfulBackupTime: '2026-06-01T03:15:00Z' };

  test('over an archive that is used already', () => {
    expect(() => plan({ windows: { 'postgres-1': window, 'postgres-2': window } })).toThrow(
      /^The archive 'postgres-2' is used already, and a recovery never writes over one\./,
    );
  });

  test('from an archive without a base backup', () => {
    expect(() => plan({ windows: { 'postgres-1': {} } })).toThrow(/^The archive 'postgres-1' has no base backup/);
  });

  test('to a time before the first that can be recovered', () => {
    expect(() => plan({ at: '2026-05-01T00:00:00Z', windows: { 'postgres-1': window } })).toThrow(
      "2026-05-01T00:00:00Z is before 2026-05-10T03:15:00Z, the first moment that the archive 'postgres-1' can be recovered to.",
    );
  });

  test('to a time in the future', () => {
    expect(() => plan({ at: '2027-01-01T00:00:00Z' })).toThrow('2027-01-01T00:00:00Z is in the future; the log reaches up to now at most.');
  });

  test('where there are no backups', () => {
    expect(() => plan({ description: exampleLocal })).toThrow(/^Cluster 'local' has no backups/);
  });

  test('where the description would have a mistake', () => {
    const wrong = { ...exampleHomelab, network: { ...exampleHomelab.network, ingress: '192.168.1.9' } };
    expect(() => plan({ description: wrong })).toThrow(/network\.ingress/);
  });
});
