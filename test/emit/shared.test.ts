/** Parts that many objects hold: they are looked at once, and the answer is that of looking at each. */
import { FieldWalk } from '../../lib/checks/fields';
import { noNoise } from '../../lib/checks/no-noise';
import { noPlainSecrets } from '../../lib/checks/no-plain-secrets';
import { validSchema } from '../../lib/checks/valid-schema';
import { isShared, share } from '../../lib/emit/shared';
import { toYaml, type WrittenParts } from '../../lib/emit/yaml';
import { violationsOf, withMore } from '../checks/fixture';

const configMap = (name: string, more: object) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'connect-broker' },
  ...more,
});
const budget = (name: string, spec: object) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'connect-broker' },
  spec,
});
const objectsWith = (check: Parameters<typeof violationsOf>[0], ...manifests: Parameters<typeof withMore>[1][]) =>
  violationsOf(check, withMore('connect-broker', ...manifests)).map(({ object }) => object);

test('maps and lists within a shared part are shared, too', () => {
  const part = share({ list: [{ key: 'value' }] });
  expect([isShared(part), isShared(part.list), isShared(part.list[0] as object), isShared({})]).toEqual([true, true, true, false]);
});

test('a shared part cannot be changed for one of its objects', () => {
  const part = share({ list: [{ key: 'value' }] });
  const [first] = part.list;
  expect(() => {
    if (first) first.key = 'other';
  }).toThrow(TypeError);
});

describe('written', () => {
  const plain = { b: 'x', a: ['1', { d: { e: 'f' }, c: 2 }], empty: {}, none: [] };
  const shared = share(structuredClone(plain));

  test.each([
    ['as a field', (part: object) => ({ part })],
    ['as two fields', (part: object) => ({ first: part, second: part })],
    ['deeper', (part: object) => ({ part, within: { part, within: { other: part } } })],
    ['as entries of lists', (part: object) => ({ list: [part, part], within: { list: [{ part }] } })],
    ['when empty', () => ({ list: [shared.empty], map: shared.empty, none: shared.none })],
  ])('%s as any other part', (_, around) => {
    const written: WrittenParts = new Map();
    const texts = [toYaml(around(shared), written), toYaml(around(shared), written)];
    const expected = toYaml(structuredClone(around(plain)));
    expect(texts).toEqual([expected, expected]);
  });
});

test('a wrong shared part is a violation of every object that holds it', () => {
  const spec = share({ maxUnavailable: 0, selector: { matchLabels: { app: 5 } } });
  expect(objectsWith(validSchema, budget('one', spec), budget('two', spec))).toEqual([
    'PodDisruptionBudget connect-broker/one',
    'PodDisruptionBudget connect-broker/two',
  ]);
});

test('a shared part that is right in one place is judged anew in another', () => {
  const part = share({ app: 'broker' });
  const objects = [budget('one', { selector: { matchLabels: part } }), budget('two', { selector: part })];
  expect(objectsWith(validSchema, ...objects)).toEqual(['PodDisruptionBudget connect-broker/two']);
});

test('an empty value in a shared part is found in every object', () => {
  const data = share({ a: { b: {} } });
  expect(objectsWith(noNoise, configMap('one', { data }), configMap('two', { data }))).toEqual([
    'ConfigMap connect-broker/one',
    'ConfigMap connect-broker/two',
  ]);
});

test('an empty shared part is judged by the field that holds it', () => {
  const nothing = share({});
  expect(objectsWith(noNoise, configMap('one', { podSelector: nothing }), configMap('two', { other: nothing }))).toEqual([
    'ConfigMap connect-broker/two',
  ]);
});

test('a private key in a shared part is found in every object', () => {
  // Put together here, so that no scanner takes the test for a key.
  const more = share({ binaryData: { key: ['-----BEGIN', 'PRIVATE KEY-----'].join(' ') } });
  expect(objectsWith(noPlainSecrets, configMap('one', more), configMap('two', more))).toEqual([
    'ConfigMap connect-broker/one',
    'ConfigMap connect-broker/two',
  ]);
});

test('a walk over fields finds what is in a shared part in every object', () => {
  const walk = new FieldWalk({ spec: { port: (value) => (value === 80 ? 'eighty' : undefined) }, other: { port: () => 'any' } });
  const clean = new Map();
  const part = share({ port: 81 });
  const found = [{ spec: part }, { spec: part }, { other: part }, { spec: share({ port: 80 }) }].map((object) =>
    walk.find(object, clean).map(({ path }) => path),
  );
  expect(found).toEqual([[], [], ['other.port'], ['spec.port']]);
});
