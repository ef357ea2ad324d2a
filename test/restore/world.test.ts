/** The restore of a world: which snapshot, what is written, and that nothing of it can delete a volume before its steps say so. */
import { execFileSync } from 'node:child_process';
import { readSnapshots, snapshotAt } from '../../lib/restore/snapshots';
import { WORLD_FILES } from '../../lib/restore/world';
import { validateObject } from '../../lib/schemas';
import { exampleHomelab, exampleLocal } from '../examples';
import { objectsIn, planFor, SNAPSHOT } from './fixtures';

describe('snapshots', () => {
  const own = (id: string, time: string, claim = 'world-eldermoor-0') => ({ id: id.repeat(64), time, paths: [`/data/${claim}`] });
  const list = [
    own('b', '2026-06-01T06:40:00Z'),
    own('a', '2026-06-01T00:40:00Z'),
    own('c', '2026-06-01T08:00:00Z', 'world-sunreach-0'),
    own('d', '2026-06-01T12:40:00Z'),
  ];
  const snapshots = readSnapshots(JSON.stringify(list), 'restic');
  const chosen = (at: string) => snapshotAt(snapshots, 'world-eldermoor-0', new Date(at)).snapshot.id[0];

  test('are read from restic and from K8up alike', () => {
    const items = list.map(({ id, time, paths }) => ({ metadata: { name: id.slice(0, 8) }, spec: { id, date: time, paths } }));
    expect(readSnapshots(JSON.stringify({ items }), 'kubectl')).toEqual(snapshots);
  });

  test.each(['{', '{}', '[{"id": 1}]', '[{"id": "a", "time": "yesterday", "paths": []}]'])('%s is refused', (text) => {
    expect(() => readSnapshots(text, 'backups.json')).toThrow(
      /^backups\.json is not a list of snapshots; it must be what 'kubectl get snapshots/,
    );
  });

  test('the newest one until the time is taken, of this world alone', () => {
    expect(chosen('2026-06-01T09:00:00Z')).toBe('b');
  });

  test('of that very second counts', () => {
    expect(chosen('2026-06-01T00:40:00Z')).toBe('a');
  });

  test('the next one is told too', () => {
    expect(snapshotAt(snapshots, 'world-eldermoor-0', new Date('2026-06-01T09:00:00Z')).later?.id[0]).toBe('d');
  });

  test('before the first one there is none, and no other is taken instead', () => {
    expect(() => chosen('2026-05-01T00:00:00Z')).toThrow(
      /^The first snapshot of world-eldermoor-0 was taken at 2026-06-01T00:40:00\.000Z, after 2026-05-01/,
    );
  });

  test('of a world without any are asked for by id', () => {
    expect(() => snapshotAt(snapshots, 'world-frosthold-0', new Date())).toThrow(/^There is no snapshot of world-frosthold-0\./);
  });
});

describe('the manifests', () => {
  const plan = planFor('aurora/eldermoor');

  test('have the shape of their schemas', () => {
    const objects = [...objectsIn(plan, WORLD_FILES.restore), ...objectsIn(plan, WORLD_FILES.claims)];
    expect(objects.flatMap((object) => validateObject(object))).toEqual([]);
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'PersistentVolumeClaim eldermoor-202606011234',
      'Restore eldermoor-202606011234',
      'PersistentVolumeClaim world-eldermoor-0',
      'PersistentVolumeClaim eldermoor-before-202606011234',
    ]);
  });

  test('restore one snapshot of one world into the new claim, with the settings of its backups', () => {
    const [, restore] = objectsIn(plan, WORLD_FILES.restore);
    expect(restore?.spec).toEqual({
      snapshot: SNAPSHOT,
      paths: ['/data/world-eldermoor-0'],
      restoreMethod: { folder: { claimName: 'eldermoor-202606011234' } },
      podConfigRef: { name: 'world-backup' },
      backend: {
        repoPasswordSecretRef: { name: 'world-backup-encryption', key: 'password' },
        s3: {
          endpoint: 'https://s3.eu-central-003.backblazeb2.com',
          bucket: 'you-mmo-backups/worlds/aurora',
          accessKeyIDSecretRef: { name: 'world-backup-store', key: 'access-key-id' },
          secretAccessKeySecretRef: { name: 'world-backup-store', key: 'secret-access-key' },
        },
      },
    });
  });

  test('give the world a claim like the one that its StatefulSet makes, backed up again', () => {
    const [claim] = objectsIn(plan, WORLD_FILES.claims);
    expect(claim?.metadata.annotations).toEqual({
      'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
      'k8up.io/backup': 'true',
    });
    expect(claim?.spec.resources.requests.storage).toBe('20Gi');
  });

  test('keep the other volumes out of backups', () => {
    const others = [objectsIn(plan, WORLD_FILES.restore)[0], objectsIn(plan, WORLD_FILES.claims)[1]];
    expect(others.map((each) => each?.metadata.annotations?.['k8up.io/backup'])).toEqual(['false', 'false']);
  });

  test('make the volume where a pinned world runs', () => {
    const [, pods, restore] = objectsIn(
      planFor('aurora/eldermoor', { ...exampleLocal, backups: { endpoint: 'https://s3.example.net', bucket: 'backups' } }),
      WORLD_FILES.restore,
    );
    expect([pods?.kind, pods?.spec.template.spec.nodeSelector, restore?.spec.podConfigRef.name]).toEqual([
      'PodConfig',
      { 'kubernetes.io/hostname': 'local-control-plane' },
      'eldermoor-202606011234',
    ]);
  });

  test('of the longest name stay within what a Job may be called', () => {
    const name = 'x'.repeat(40);
    const [realm] = exampleHomelab.realms ?? [];
    const long = {
      ...exampleHomelab,
      realms: [{ ...(realm as object), name: 'aurora', continents: [{ name, address: '192.168.1.245' }] }],
    } as typeof exampleHomelab;
    const [, restore] = objectsIn(planFor(`aurora/${name}`, long), WORLD_FILES.restore);
    expect(`restore-${restore?.metadata.name}`.length).toBeLessThanOrEqual(63);
  });
});

describe('the steps', () => {
  const { list, files } = planFor('aurora/eldermoor');
  const commands = list.steps.flatMap((step) => step.commands);
  const script = files.get(WORLD_FILES.swap) ?? '';

  test('restore before they stop the world, and give it its volume before they start it', () => {
    expect(commands.map((command) => /(apply|wait|logs|scale|sh|rollout)\b/.exec(command)?.[1])).toEqual([
      'apply',
      'wait',
      'logs',
      'scale',
      'wait',
      'sh',
      'scale',
      'rollout',
    ]);
  });

  test('delete nothing', () => {
    expect(commands.filter((command) => command.includes('delete') && !command.includes('--for=delete'))).toEqual([]);
  });

  test('of a retired world neither stop nor start it', () => {
    const [aurora, ...others] = exampleHomelab.realms ?? [];
    const retired = planFor('aurora/eldermoor', {
      ...exampleHomelab,
      realms: [{ ...(aurora as object), state: 'retired' }, ...others],
    } as typeof exampleHomelab);
    expect(retired.list.steps.flatMap((step) => step.commands).filter((command) => command.includes('scale'))).toEqual([]);
  });

  test('of a realm that may sleep say that a login would start it', () => {
    const [aurora] = exampleHomelab.realms ?? [];
    const sleeping = planFor('aurora/eldermoor', {
      ...exampleHomelab,
      realms: [{ ...aurora, sleep: { afterMinutes: 60 } }],
    } as typeof exampleHomelab);
    expect(sleeping.list.steps.find(({ title }) => title === 'Stop the world')?.note).toContain('the next login would start it');
  });

  test('are in the folder as a page', () => {
    expect(files.get(WORLD_FILES.steps)).toContain('## 2. Stop the world');
  });

  test('exchange volumes by a script that a shell can read', () => {
    expect(() => execFileSync('sh', ['-n'], { input: script })).not.toThrow();
  });

  test('tell both volumes to outlive their claims, and see that they do, before a claim is deleted', () => {
    const [retain, seen, gone] = ['"persistentVolumeReclaimPolicy":"Retain"', '= Retain ]', 'delete pvc'].map((text) =>
      script.indexOf(text),
    );
    expect([0, retain, seen, gone].every((place, index, all) => index === 0 || (place ?? -1) > (all[index - 1] ?? 0))).toBe(true);
  });
});

test('a cluster without backups is told that there is nothing', () => {
  expect(() => planFor('aurora/eldermoor', exampleLocal)).toThrow(
    "Cluster 'local' has no backups (backups is not set in apps/local.ts), so there is nothing to restore from.",
  );
});
