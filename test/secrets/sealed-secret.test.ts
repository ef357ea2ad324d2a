/** The SealedSecret object: what it takes from the specification, what from the store, and what it reports as missing. */
import { App, Chart } from 'cdk8s';
import { objectsOf } from '../../lib/emit/manifest';
import { emitSealedSecret } from '../../lib/secrets/sealed-secret';
import type { SecretSpec, SecretStore } from '../../lib/secrets/spec';

const spec: SecretSpec = {
  namespace: 'game',
  name: 'credentials',
  keys: {
    username: { value: 'game/username', source: { literal: 'game' } },
    password: { value: 'game/password', source: { generate: 'password' } },
  },
  purpose: 'a test',
};
const storeOf = (sealed?: Record<string, string>): SecretStore => ({
  encryptedData: (namespace, name) => (namespace === 'game' && name === 'credentials' ? sealed : undefined),
  warnings: () => [],
  drillDue: () => undefined,
});
function emit(more: Partial<SecretSpec> = {}, sealed: Record<string, string> | undefined = { username: 'AgU=', password: 'AgP=' }) {
  const chart = new Chart(new App(), 'test');
  const missing = emitSealedSecret(chart, { ...spec, ...more }, storeOf(sealed));
  const [object] = objectsOf(chart);
  if (object === undefined) throw new Error('There is no object.');
  return { missing, manifest: object.manifest };
}

test('it is the whole object, with nothing that the API would add by itself', () => {
  expect(emit().manifest).toEqual({
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata: {
      name: 'credentials',
      namespace: 'game',
      labels: { 'app.kubernetes.io/name': 'credentials', 'app.kubernetes.io/part-of': 'mmo' },
    },
    spec: {
      encryptedData: { username: 'AgU=', password: 'AgP=' },
      template: { metadata: { name: 'credentials', namespace: 'game' } },
    },
  });
});

test('its keys are in order, whatever the order of the specification', () => {
  expect(Object.keys(emit().manifest.spec.encryptedData)).toEqual(['password', 'username']);
});

test('its Secret has the name and namespace that the values are sealed for', () => {
  const { manifest } = emit();
  expect(manifest.spec.template.metadata).toEqual({ name: manifest.metadata.name, namespace: manifest.metadata.namespace });
});

test('values of keys that nothing needs stay out', () => {
  expect(emit({}, { username: 'AgU=', password: 'AgP=', old: 'AgO=' }).manifest.spec.encryptedData).not.toHaveProperty('old');
});

test('a key without a sealed value is missing', () => {
  expect(emit({}, { username: 'AgU=' }).missing).toEqual([{ namespace: 'game', name: 'credentials', key: 'password' }]);
});

test('a key without a sealed value has nothing in its place', () => {
  expect(emit({}, { username: 'AgU=' }).manifest.spec.encryptedData).toEqual({ username: 'AgU=' });
});

test('every key is missing when there is no file', () => {
  const chart = new Chart(new App(), 'test');
  expect(emitSealedSecret(chart, spec, storeOf()).map(({ key }) => key)).toEqual(['password', 'username']);
});

test('nothing is missing when all is sealed', () => {
  expect(emit().missing).toEqual([]);
});

test('its Secret has the type that the specification says', () => {
  expect(emit({ type: 'kubernetes.io/basic-auth' }).manifest.spec.template.type).toBe('kubernetes.io/basic-auth');
});

test('the type Opaque is the default and not written', () => {
  expect(emit({ type: 'Opaque' }).manifest.spec.template).not.toHaveProperty('type');
});

test('labels are those of the Secret that the controller makes', () => {
  expect(emit({ labels: { 'cnpg.io/reload': 'true' } }).manifest.spec.template.metadata.labels).toEqual({ 'cnpg.io/reload': 'true' });
});

test('credentials of data stay when they leave Git', () => {
  expect(emit({ protected: true }).manifest.metadata.annotations).toEqual({
    'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
  });
});

test('annotations of the specification stand beside the protection', () => {
  expect(
    Object.keys(emit({ protected: true, annotations: { 'argocd.argoproj.io/sync-wave': '-1' } }).manifest.metadata.annotations ?? {}),
  ).toEqual(['argocd.argoproj.io/sync-options', 'argocd.argoproj.io/sync-wave']);
});

test('the plaintext of a literal is nowhere in it', () => {
  const literal = { username: { value: 'game/username', source: { literal: 'a-known-name' } } } as const;
  expect(JSON.stringify(emit({ keys: literal }).manifest)).not.toContain('a-known-name');
});

test('a hundred keys are all there', () => {
  const names = Array.from({ length: 100 }, (_, index) => `realm.r${index}.1`);
  const keys = Object.fromEntries(names.map((name) => [name, { value: name, source: { generate: 'random-32-bytes' } } as const]));
  expect(Object.keys(emit({ keys }, Object.fromEntries(names.map((name) => [name, 'AgK=']))).manifest.spec.encryptedData)).toHaveLength(
    100,
  );
});
