/** imports/ as it is committed: complete, as the lock says, and small enough to review. */
/* The committed imports/ against the lists it is made from. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BUILT_IN_KINDS, CUSTOM_KINDS } from '../../lib/imports/kinds';
import { IMPORTS_FOLDER, listFiles, verifyImports } from '../../lib/imports/lock';
import { SchemaSet } from '../../lib/schemas';

test('imports/ is what the lock says it is', () => {
  expect(verifyImports()).toEqual([]);
});

test('there is a schema of every listed kind and of no other', () => {
  const listed = [...CUSTOM_KINDS, ...BUILT_IN_KINDS].flatMap(({ apiVersion, kinds }) => kinds.map((kind) => [apiVersion, kind]));
  expect(new SchemaSet(join('imports', 'schemas')).kinds().map(String).sort()).toEqual(listed.map(String).sort());
});

test.each(CUSTOM_KINDS)('the bindings of $apiVersion have a class for each listed kind', ({ apiVersion, kinds }) => {
  const text = readFileSync(join(IMPORTS_FOLDER, `${apiVersion.split('/')[0]}.ts`), 'utf8');
  const identities = [...text.matchAll(/apiVersion: '([^']+)',\s+kind: '([^']+)'/g)].map(([, version, kind]) => `${version} ${kind}`);
  expect([...new Set(identities)].sort()).toEqual(kinds.map((kind) => `${apiVersion} ${kind}`).sort());
});

test('no generated file is too large to be reviewed as a diff', () => {
  expect(listFiles(IMPORTS_FOLDER).filter((path) => statSync(join(IMPORTS_FOLDER, path)).size > 4 * 2 ** 20)).toEqual([]);
});
