/** Where files are, and that no two objects share one. */
import type { BuiltObject } from '../../lib/build';
import { layOut } from '../../lib/emit/paths';

const object = (
  kind: string,
  name: string,
  changes: { application?: string; apiVersion?: string; namespace?: string } = {},
): BuiltObject => {
  const { application = 'game', apiVersion = 'v1', namespace = 'games' } = changes;
  return { application, manifest: { apiVersion, kind, metadata: { name, namespace } }, exceptions: [] };
};

test('an object has a file by its Application, namespace, kind and name', () => {
  expect([...layOut([object('Service', 'a')], 'home/').keys()]).toEqual(['home/game/games/Service.a.yaml']);
});

test('an object that two Applications make is refused', () => {
  expect(() => layOut([object('Service', 'a'), object('Service', 'a', { application: 'other' })])).toThrow(
    "Service games/a is made by Application 'game' and again by 'other'; one of them must own it.",
  );
});

test('the version is no part of an identity', () => {
  const versions = ['x.io/v1', 'x.io/v2'].map((apiVersion) => object('Thing', 'a', { apiVersion }));
  expect(() => layOut(versions)).toThrow("Thing games/a is made by Application 'game' and again by 'game'");
});

test('kinds of one name in two groups would share a file', () => {
  const groups = ['x.io/v1', 'y.io/v1'].map((apiVersion) => object('Cluster', 'a', { apiVersion }));
  expect(() => layOut(groups)).toThrow(
    "Cluster games/a and Cluster games/a of Application 'game' would share the file game/games/Cluster.a.yaml.",
  );
});

test.each([
  ['kinds', [object('ConfigMap', 'a'), object('Configmap', 'a')]],
  ['folders', [object('Service', 'a'), object('Service', 'a', { namespace: 'Games' })]],
])('%s that differ in case only would share a file', (_, objects) => {
  expect(() => layOut(objects)).toThrow('would share the file');
});
