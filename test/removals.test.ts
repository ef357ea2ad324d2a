/** What may leave Git, and what a person has to do about it. */
import { judgeRemovals } from '../lib/removals';

const world = (replicas?: number) => `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: eldermoor
  namespace: realm-aurora
  labels:
    mmo/continent: eldermoor
  annotations:
    argocd.argoproj.io/sync-options: Prune=false,Delete=false
spec:
  serviceName: eldermoor-headless
${replicas === undefined ? '' : `  replicas: ${replicas}\n`}`;
const database = `apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata:
  name: postgres
  namespace: database
  annotations:
    argocd.argoproj.io/sync-options: Prune=false,Delete=false
`;
const worldPath = 'homelab/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml';
const databasePath = 'homelab/database/database/Cluster.postgres.yaml';
const judge = (path: string, text: string, kept: string[] = [], released: string[] = []) =>
  judgeRemovals(new Map([[path, text]]), [path], kept, released);

test('a world that was never retired may not leave', () => {
  expect(judge(worldPath, world()).refusals).toEqual([
    "dist/homelab/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml is the world 'eldermoor' in namespace 'realm-aurora', which was never retired. Set state: 'retired' on it first, synthesize, commit and let Argo CD stop it; remove the entry in a second change. (A world that no cluster ever ran, such as the example's, leaves with: npm run synth -- --release StatefulSet/realm-aurora/eldermoor)",
  ]);
});

const namespace = (name: string) =>
  `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  annotations:\n    argocd.argoproj.io/sync-options: Prune=false,Delete=false\n`;
const application = (name: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: ${name}\n  namespace: argocd\n`;
const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: eldermoor\n  namespace: realm-aurora\n';
const synced = (names: string) =>
  `kubectl -n argocd wait --timeout=15m application ${names} --for=jsonpath='{.status.sync.revision}'="$(git rev-parse HEAD)"`;
const done = (names: string) => `kubectl -n argocd wait --timeout=15m application ${names} --for=jsonpath='{.status.sync.status}'=Synced`;

test('a retired continent of a realm that stays is released for pruning, which keeps its claims', () => {
  expect(judge(worldPath, world(0))).toEqual({
    refusals: [],
    steps: [
      synced('realm-aurora root'),
      'kubectl -n realm-aurora annotate statefulset eldermoor argocd.argoproj.io/sync-options-',
      done('realm-aurora root'),
    ],
    forGood: [],
  });
});

describe('a realm that leaves as a whole', () => {
  const before = new Map([
    ['homelab/namespaces/_cluster/Namespace.realm-aurora.yaml', namespace('realm-aurora')],
    [worldPath, world(0)],
    ['homelab/realms/realm-aurora/Service.eldermoor.yaml', service],
    ['homelab/root/argocd/Application.realm-aurora.yaml', application('realm-aurora')],
  ]);
  const report = judgeRemovals(before, [...before.keys()], []);

  test('begins when every Application that had something of it has seen the commit', () => {
    expect(report.steps[0]).toBe(synced('namespaces realms root'));
  });

  test('has its namespace forgotten and not deleted', () => {
    expect(report.steps[1]).toBe('kubectl annotate namespace realm-aurora argocd.argoproj.io/tracking-id-');
  });

  test("deletes its Application when the root's sync is over, which could make it again", () => {
    expect(report.steps.slice(2, 4)).toEqual([
      "kubectl -n argocd wait --timeout=15m application root --for=jsonpath='{.status.operationState.phase}'=Succeeded",
      'kubectl -n argocd delete --ignore-not-found application/realm-aurora',
    ]);
  });

  test('deletes its worlds, and what Argo CD prunes only if it looks before its project forgets the namespace', () => {
    expect(report.steps[4]).toBe('kubectl -n realm-aurora delete --ignore-not-found service/eldermoor statefulset/eldermoor');
  });

  test('ends when all of them are Synced', () => {
    expect(report.steps.slice(5)).toEqual([done('namespaces realms root')]);
  });

  test('leaves the end of its namespace to a command of its own', () => {
    expect(report.forGood).toEqual(['kubectl delete namespace realm-aurora']);
  });
});

test('an object that holds no data and leaves a namespace that stays is left to Argo CD', () => {
  expect(judge('homelab/realms/realm-aurora/Service.eldermoor.yaml', service).steps).toEqual([]);
});

test('of a cluster that leaves as a whole only the Applications are deleted: nobody syncs what runs there any more', () => {
  const before = new Map([
    ['homelab/root/argocd/Application.root.yaml', application('root')],
    ['homelab/root/argocd/Application.realm-aurora.yaml', application('realm-aurora')],
    ['homelab/namespaces/_cluster/Namespace.realm-aurora.yaml', namespace('realm-aurora')],
    [worldPath, world(0)],
  ]);
  expect(judgeRemovals(before, [...before.keys()], [])).toEqual({
    refusals: [],
    steps: [
      'kubectl -n argocd delete --ignore-not-found application/root',
      'kubectl -n argocd delete --ignore-not-found application/realm-aurora',
    ],
    forGood: [],
  });
});

test('commands for two clusters say which is which', () => {
  const before = new Map([
    [worldPath, world(0)],
    [worldPath.replace('homelab', 'local'), world(0)],
  ]);
  const { steps } = judgeRemovals(before, [...before.keys()], []);
  expect(steps.filter((step) => step.startsWith('#'))).toEqual(['# cluster homelab', '# cluster local']);
});

test('a database may not leave', () => {
  expect(judge(databasePath, database).refusals).toHaveLength(1);
});

test('a database that the operator releases by name may leave; Argo CD forgets it and nothing deletes it', () => {
  expect(judge(databasePath, database, [], ['Cluster/database/postgres'])).toEqual({
    refusals: [],
    steps: [
      synced('database root'),
      'kubectl -n database annotate cluster.postgresql.cnpg.io postgres argocd.argoproj.io/tracking-id-',
      done('database root'),
    ],
    forGood: ['kubectl -n database delete cluster.postgresql.cnpg.io postgres'],
  });
});

test('an object that moves to another Application is no loss', () => {
  expect(judge(databasePath, database, ['homelab/data/database/Cluster.postgres.yaml'])).toEqual({ refusals: [], steps: [], forGood: [] });
});

test('an object without protection leaves in silence', () => {
  expect(judge(worldPath, 'apiVersion: v1\nkind: Service\nmetadata:\n  name: x\n')).toEqual({ refusals: [], steps: [], forGood: [] });
});
