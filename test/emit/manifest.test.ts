/** How objects come into a chart. */
import { App, Chart } from 'cdk8s';
import { add, objectsOf } from '../../lib/emit/manifest';
import { KubeConfigMap } from '../../lib/k8s';

const chart = () => new Chart(new App(), 'realms');
const metadata = { name: 'a', namespace: 'x' };

test('objects come back in the order in which they were added', () => {
  const realms = chart();
  for (const name of ['b', 'a']) add(realms, KubeConfigMap, { metadata: { name, namespace: 'x' } });
  expect(objectsOf(realms).map(({ manifest }) => manifest.metadata.name)).toEqual(['b', 'a']);
});

test('a chart without objects has none', () => {
  expect(objectsOf(chart())).toEqual([]);
});

test('the same object twice in one chart is refused', () => {
  const realms = chart();
  add(realms, KubeConfigMap, { metadata });
  expect(() => add(realms, KubeConfigMap, { metadata })).toThrow(
    "Chart 'realms' has two objects ConfigMap x/a; one of them must go, or get another name.",
  );
});

test('an object without a name is refused', () => {
  expect(() => add(chart(), KubeConfigMap, {})).toThrow("An object of kind ConfigMap in chart 'realms' has no metadata.name");
});

test("an object that was made with 'new' is refused", () => {
  const realms = chart();
  new KubeConfigMap(realms, 'made', { metadata });
  expect(() => objectsOf(realms)).toThrow("realms/made was made with 'new'; objects are added with add()");
});
