/** What is kept for a kind (bindings, schemas, a health policy, known defaults) is kept for kinds that the example clusters emit, and for no other. */
import { healthKey, healthPolicy } from '../argocd/health';
import { buildCluster } from '../lib/build';
import { apiDefaults } from '../lib/checks/api-defaults';
import { BUILT_IN_KINDS, CUSTOM_KINDS } from '../lib/imports/kinds';
import { resolveCluster } from '../lib/model/cluster';
import { memoryStore } from '../lib/secrets/store';
import { exampleHomelab, exampleLocal } from './examples';

const emitted = new Map(
  [exampleHomelab, exampleLocal]
    .flatMap((description) => buildCluster(resolveCluster(description), { store: memoryStore('everything') }).objects)
    .map(({ manifest: { apiVersion, kind } }) => [`${apiVersion} ${kind}`, healthKey(apiVersion, kind)]),
);
/** Never emitted, and has a schema: so that all that is said of a plain one is why it is refused. */
const REFUSED = 'v1 Secret';
/** Never in dist, because each is done once: what `npm run restore` and `npm run maintenance` write for a person to apply. */
const BY_HAND = ['k8up.io/v1 Backup', 'k8up.io/v1 Restore', 'v1 PersistentVolumeClaim'];

test('every kind with bindings or a schema is emitted, but for the one that a check refuses and those that a person applies', () => {
  const generated = [...CUSTOM_KINDS, ...BUILT_IN_KINDS].flatMap(({ apiVersion, kinds }) => kinds.map((kind) => `${apiVersion} ${kind}`));
  expect(generated.filter((kind) => !emitted.has(kind)).sort()).toEqual([...BY_HAND, REFUSED].sort());
});

test('every kind with known defaults is emitted', () => {
  expect(Object.keys(apiDefaults).filter((kind) => !emitted.has(kind))).toEqual([]);
});

test('exactly the emitted kinds have a health policy', () => {
  expect(Object.keys(healthPolicy).sort()).toEqual([...new Set(emitted.values())].sort());
});
