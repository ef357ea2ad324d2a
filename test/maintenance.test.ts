/** The steps of a node's maintenance: their order, and what is different for a pinned world, the node of instances, and a home with one node. */
import { main } from '../commands/maintenance';
import { buildCluster } from '../lib/build';
import { planNodeMaintenance, planRealmBackup } from '../lib/maintenance';
import { resolveCluster } from '../lib/model/cluster';
import { validateObject } from '../lib/schemas';
import { memoryStore } from '../lib/secrets/store';
import { exampleHomelab, exampleLocal } from './examples';

const home = resolveCluster(exampleHomelab);
const laptop = resolveCluster(exampleLocal);
const titles = (cluster: typeof home, node: string) => planNodeMaintenance(cluster, node).steps.map(({ title }) => title);
const commands = (cluster: typeof home, node: string) => planNodeMaintenance(cluster, node).steps.flatMap((step) => step.commands);

test('let nothing new come, then instances end, then worlds leave one realm after the other, then everything else', () => {
  expect(titles(home, 'node-2')).toEqual([
    'See what runs on it',
    'Let nothing new come',
    'Let instances end',
    'Move the worlds of aurora that run on it',
    'Move the worlds of borealis that run on it',
    'Move everything else',
    'Do the work',
    'Return',
  ]);
});

test('delete worlds before they drain, because budgets refuse to evict a world', () => {
  const all = commands(home, 'node-2');
  const drain = all.findIndex((command) => command.startsWith('kubectl drain'));
  const last = all.findLastIndex((command) => command.includes('delete pods'));
  expect([last >= 0, last < drain]).toEqual([true, true]);
});

test('name the node in every command that moves something', () => {
  const moving = commands(home, 'node-2').filter((command) => /cordon|drain|delete/.test(command));
  expect(moving.filter((command) => !command.includes('node-2'))).toEqual([]);
});

test('wait for a world as long as it may take to announce and to save', () => {
  expect(
    commands(home, 'node-2')
      .filter((command) => command.includes('delete pods'))
      .every((command) => command.endsWith('--timeout=210s')),
  ).toBe(true);
});

test('leave retired realms alone', () => {
  const [aurora, borealis] = exampleHomelab.realms ?? [];
  const cluster = resolveCluster({ ...exampleHomelab, realms: [aurora, { ...borealis, state: 'retired' }] } as typeof exampleHomelab);
  expect(titles(cluster, 'node-2')).not.toContain('Move the worlds of borealis that run on it');
});

test('leave worlds alone that are pinned to another node', () => {
  const [aurora] = exampleHomelab.realms ?? [];
  const [eldermoor, sunreach] = aurora?.continents ?? [];
  const pinned = resolveCluster({
    ...exampleHomelab,
    realms: [{ ...aurora, continents: [{ ...eldermoor, node: 'node-1' }, sunreach] }],
  } as typeof exampleHomelab);
  expect([commands(pinned, 'node-2'), commands(pinned, 'node-1')].map((all) => all.filter((each) => each.includes('rollout')))).toEqual([
    ['kubectl -n realm-aurora rollout status statefulset/sunreach --timeout=15m'],
    ['kubectl -n realm-aurora rollout status statefulset/sunreach --timeout=15m'],
  ]);
});

test('say that a change which waits for the next start is taken', () => {
  const [aurora] = exampleHomelab.realms ?? [];
  const waiting = resolveCluster({
    ...exampleHomelab,
    realms: [{ ...aurora, updates: { strategy: 'on-delete' } }],
  } as typeof exampleHomelab);
  const note = planNodeMaintenance(waiting, 'node-2').steps.find(({ title }) => title.startsWith('Move the worlds'))?.note;
  expect(note).toMatch(/A change that waits for its next start \(updates: on-delete\) is taken now\.$/);
});

test('wait for a world that takes changes on delete in a way that kubectl has for it', () => {
  const [aurora] = exampleHomelab.realms ?? [];
  const waiting = resolveCluster({
    ...exampleHomelab,
    realms: [{ ...aurora, updates: { strategy: 'on-delete' } }],
  } as typeof exampleHomelab);
  expect(commands(waiting, 'node-2').filter((each) => each.includes('statefulset/'))).toEqual([
    "kubectl -n realm-aurora wait statefulset/eldermoor --for=jsonpath='{.status.readyReplicas}'=1 --timeout=15m",
    "kubectl -n realm-aurora wait statefulset/sunreach --for=jsonpath='{.status.readyReplicas}'=1 --timeout=15m",
  ]);
});

test('end every instance that nobody plays, one that is not ready yet too', () => {
  expect(commands(home, 'node-2').find((each) => each.includes('delete gameservers'))).toContain(`$2 != "Allocated"`);
});

test('say that there are no dungeons without the node of instances', () => {
  const note = (node: string) => planNodeMaintenance(home, node).steps.find(({ title }) => title === 'Let instances end')?.note;
  expect([note('node-3')?.includes('no dungeons'), note('node-2')?.includes('no dungeons')]).toEqual([true, false]);
});

test('say that the API server is away with the node that has it', () => {
  const note = (node: string) => planNodeMaintenance(home, node).steps.find(({ title }) => title === 'Do the work')?.note;
  expect([note('node-1')?.includes('API server'), note('node-2')?.includes('API server')]).toEqual([true, false]);
});

test('of the only node stop worlds and drain nothing', () => {
  expect(titles(laptop, 'local-control-plane')).toEqual([
    'See what runs on it',
    'Let nothing new come',
    'Let instances end',
    'Stop the worlds of aurora that run on it',
    'Do the work',
    'Return',
  ]);
});

test('of a node that nobody described are refused with those that there are', () => {
  expect(() => planNodeMaintenance(home, 'node-9')).toThrow("Cluster 'homelab' has no node 'node-9'; it has node-1, node-2, node-3.");
});

describe('a backup out of turn', () => {
  const { steps } = planRealmBackup(home, 'aurora', new Date('2026-06-01T12:34:56Z'));
  const [apply = '', wait] = steps[0]?.commands ?? [];
  const backup = JSON.parse(apply.slice(apply.indexOf("'") + 1, apply.lastIndexOf("'")));

  test('is an object that its schema takes', () => {
    expect([backup.kind, validateObject(backup)]).toEqual(['Backup', []]);
  });

  test('goes where the scheduled ones go', () => {
    const schedule = buildCluster(home, { store: memoryStore('everything') }).objects.find(
      ({ manifest }) => manifest.kind === 'Schedule' && manifest.metadata.namespace === 'realm-aurora',
    )?.manifest;
    expect([backup.spec.backend, backup.spec.podConfigRef]).toEqual([schedule?.spec.backend, schedule?.spec.podConfigRef]);
  });

  test('is waited for', () => {
    expect(wait).toBe('kubectl -n realm-aurora wait backups.k8up.io/by-hand-202606011234 --for=condition=Completed --timeout=2h');
  });

  test('of a realm that nobody described is refused', () => {
    expect(() => planRealmBackup(home, 'nowhere', new Date())).toThrow(
      "Cluster 'homelab' has no realm 'nowhere'; it has aurora, borealis.",
    );
  });

  test('without a store is refused', () => {
    expect(() => planRealmBackup(laptop, 'aurora', new Date())).toThrow(
      "Cluster 'local' has no backups (backups is not set in apps/local.ts).",
    );
  });
});

describe('npm run maintenance', () => {
  const run = async (...args: string[]) => {
    const error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      return [await main(args), [...error.mock.calls, ...log.mock.calls].map(String).join('\n')] as const;
    } finally {
      error.mockRestore();
      log.mockRestore();
    }
  };

  test.each([[[]], [['node']], [['nodes', 'node-1']], [['node', 'a', 'b']]])('%j is wrong usage', async (args) => {
    expect(await run(...args)).toEqual([2, "Say which node or realm: 'node NAME' or 'backup REALM'. See --help."]);
  });

  test('of a node that no cluster has ends with 1', async () => {
    expect((await run('node', 'nowhere'))[0]).toBe(1);
  });

  test('of a node that no cluster has names the nodes of each', async () => {
    const [, output] = await run('node', 'nowhere');
    expect(output).toMatch(/^No cluster has a node 'nowhere': homelab has node-1, .*; local has /);
  });
});
