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

test('a retired continent of a realm that stays is released for pruning, which keeps its claims', () => {
  expect(judge(worldPath, world(0))).toEqual({
    refusals: [],
    steps: ['kubectl -n realm-aurora annotate statefulset eldermoor argocd.argoproj.io/sync-options-'],
    forGood: [],
  });
});

test('a realm that leaves as a whole: its namespace is forgotten and never deleted, its worlds go, and its Application last', () => {
  const application = 'homelab/root/argocd/Application.realm-aurora.yaml';
  const namespace = 'homelab/namespaces/_cluster/Namespace.realm-aurora.yaml';
  const before = new Map([
    [
      namespace,
      'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: realm-aurora\n  annotations:\n    argocd.argoproj.io/sync-options: Prune=false,Delete=false\n',
    ],
    [worldPath, world(0)],
    [application, 'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: realm-aurora\n  namespace: argocd\n'],
  ]);
  expect(judgeRemovals(before, [...before.keys()], [])).toEqual({
    refusals: [],
    steps: [
      'kubectl annotate namespace realm-aurora argocd.argoproj.io/tracking-id-',
      'kubectl -n realm-aurora delete statefulset eldermoor',
      'kubectl -n argocd delete application realm-aurora',
    ],
    forGood: ['kubectl delete namespace realm-aurora'],
  });
});

test('a database may not leave', () => {
  expect(judge(databasePath, database).refusals).toHaveLength(1);
});

test('a database that the operator releases by name may leave; Argo CD forgets it and nothing deletes it', () => {
  expect(judge(databasePath, database, [], ['Cluster/database/postgres'])).toEqual({
    refusals: [],
    steps: ['kubectl -n database annotate cluster.postgresql.cnpg.io postgres argocd.argoproj.io/tracking-id-'],
    forGood: ['kubectl -n database delete cluster.postgresql.cnpg.io postgres'],
  });
});

test('an object that moves to another Application is no loss', () => {
  expect(judge(databasePath, database, ['homelab/data/database/Cluster.postgres.yaml'])).toEqual({ refusals: [], steps: [], forGood: [] });
});

test('an object without protection leaves in silence', () => {
  expect(judge(worldPath, 'apiVersion: v1\nkind: Service\nmetadata:\n  name: x\n')).toEqual({ refusals: [], steps: [], forGood: [] });
});
