/** How custom resources are judged by the CRDs that a chart brings. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PlacedManifest, readObjects, validateCustomResources } from '../../../../lib/charts-verify/custom-resources';
import { readManifests } from '../../../../lib/charts-verify/rendered';
import { RENDERED } from './fixture';

const definitions = readManifests(RENDERED).filter((each) => each.kind === 'CustomResourceDefinition');
const thing = (spec: unknown, apiVersion = 'demo.example/v1', kind = 'Thing'): PlacedManifest => ({
  file: 'dist/x.yaml',
  manifest: { apiVersion, kind, metadata: { name: 'x' }, spec },
});
const found = (...objects: readonly PlacedManifest[]): readonly string[] =>
  validateCustomResources(objects, definitions).differences.map((each) => `${each.rule} ${each.place}`);

test("an object that fits the chart's CRD is valid", () => {
  expect(validateCustomResources([thing({ size: 1 })], definitions)).toEqual({ validated: 1, differences: [] });
});

test.each([
  ['an unknown field', { size: 1, colour: 'red' }, 'invalid-custom-resource dist/x.yaml spec.colour'],
  ['a wrong type', { size: 'big' }, 'invalid-custom-resource dist/x.yaml spec.size'],
  ['a value out of range', { size: 0 }, 'invalid-custom-resource dist/x.yaml spec.size'],
])('%s is found with its file and place', (_, spec, expected) => {
  expect(found(thing(spec))).toEqual([expected]);
});

test('a missing field is found', () => {
  expect(validateCustomResources([thing({})], definitions).differences).toHaveLength(1);
});

test('a version that the CRD does not serve is found', () => {
  expect(found(thing({ size: 1 }, 'demo.example/v1alpha1'))).toEqual(['no-definition dist/x.yaml']);
});

test('a kind that no CRD of its group defines is found', () => {
  expect(found(thing({ size: 1 }, 'demo.example/v1', 'Other'))).toEqual(['no-definition dist/x.yaml']);
});

test("objects of groups that no chart brings are not looked at: they are Kubernetes' own", () => {
  expect(validateCustomResources([thing({ any: 1 }, 'apps/v1', 'Deployment')], definitions)).toEqual({ validated: 0, differences: [] });
});

describe('a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'custom-resources-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('is read with everything below it', () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    writeFileSync(
      join(folder, 'a', 'b', 'Thing.x.yaml'),
      'apiVersion: demo.example/v1\nkind: Thing\nmetadata: { name: x }\nspec: { size: 1 }\n',
    );
    writeFileSync(join(folder, 'a', 'notes.txt'), 'not YAML: [');
    expect(readObjects(folder)?.map((each) => each.manifest.metadata.name)).toEqual(['x']);
  });

  test('that is not there is no mistake', () => {
    expect(readObjects(join(folder, 'none'))).toBeUndefined();
  });
});
