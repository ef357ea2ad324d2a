/** The committed dist: fresh, one object a file, at the path of its identity, and nothing else. */
import { statSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { clusters } from '../apps';
import type { PlainObject } from '../lib/emit/manifest';
import { layOut, objectPath } from '../lib/emit/paths';
import { compareTrees, readTree } from '../lib/emit/writer';
import { synthesize } from '../lib/synth';

const committed = readTree('dist');
const synthesis = synthesize(clusters);
const built: ReadonlyMap<string, PlainObject> = new Map(
  synthesis.clusters.flatMap(({ built: { cluster, objects } }) =>
    [...layOut(objects)].map(([path, { manifest }]) => [`${cluster.name}/${path}`, manifest] as const),
  ),
);
const texts = [...committed];
/** Each file's documents, read once by a parser that is not ours. */
const documents = new Map(texts.map(([path, text]) => [path, parseAllDocuments(text).map((document) => document.toJS() as PlainObject)]));
const objectAt = (path: string): PlainObject => {
  const object = documents.get(path)?.[0];
  if (!object) throw new Error(`${path} holds no object.`);
  return object;
};
const violating = (rule: (text: string, path: string) => boolean) =>
  texts.filter(([path, text]) => !rule(text, path)).map(([path]) => path);

test('every cluster of apps has its folder, and nothing else has one', () => {
  expect([...new Set(texts.map(([path]) => path.split('/')[0]))].sort()).toEqual(clusters.map(({ name }) => name).sort());
});

test("it is what 'npm run synth' writes", () => {
  const { added, changed, removed } = compareTrees(committed, synthesis.files);
  expect({ missing: added, differing: changed, unknown: removed }).toEqual({ missing: [], differing: [], unknown: [] });
});

test('every file holds one object', () => {
  expect(violating((_, path) => documents.get(path)?.length === 1)).toEqual([]);
});

test('every file reads as exactly the object that was built', () => {
  // A stale file is the test above's; through JSON, because an object in memory may hold keys whose value is undefined.
  const fresh = (path: string, text: string) => synthesis.files.get(path) === text;
  expect(
    violating((text, path) => !fresh(path, text) || JSON.stringify(sorted(objectAt(path))) === JSON.stringify(sorted(built.get(path)))),
  ).toEqual([]);
});

test('every file is where the identity of its object says', () => {
  expect(
    violating((_, path) => {
      const [cluster, application = ''] = path.split('/');
      return path === `${cluster}/${objectPath(application, objectAt(path))}`;
    }),
  ).toEqual([]);
});

test('every folder of an Application is one that the root knows', () => {
  const folders = new Set(texts.map(([path]) => path.split('/').slice(0, 2).join('/')));
  const known = texts.filter(([path]) => path.includes('/root/argocd/Application.')).map(([path]) => objectAt(path).spec.source.path);
  expect([...folders].filter((folder) => !known.includes(`dist/${folder}`))).toEqual([]);
});

test('every Application that reads a folder has one', () => {
  const folders = new Set(texts.map(([path]) => `dist/${path.split('/').slice(0, 2).join('/')}`));
  const read = texts
    .filter(([path]) => path.includes('/root/argocd/Application.'))
    .map(([path]) => objectAt(path).spec.source.path)
    .filter((path) => path !== undefined);
  expect(read.filter((path) => !folders.has(path))).toEqual([]);
});

test('every file ends in .yaml', () => {
  expect(violating((_, path) => path.endsWith('.yaml'))).toEqual([]);
});

test('no file is one that Argo CD would take for a chart or a kustomization', () => {
  expect(violating((_, path) => !/\/(Chart\.yaml|kustomization\.ya?ml|Kustomization|.*\.jsonnet|.*\.json)$/.test(path))).toEqual([]);
});

test('no file is larger than etcd takes', () => {
  expect(violating((_, path) => statSync(`dist/${path}`).size < 1_000_000)).toEqual([]);
});

test('no path is longer than every file system takes', () => {
  expect(violating((_, path) => path.length < 200 && path.split('/').every((part) => Buffer.byteLength(part) <= 255))).toEqual([]);
});

test('every file ends with one line feed and has no carriage return', () => {
  expect(violating((text) => text.endsWith('\n') && !text.endsWith('\n\n\n') && !text.includes('\r'))).toEqual([]);
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
