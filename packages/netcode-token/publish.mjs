/**
 * What npm runs before and after it packs this package: `node publish.mjs prepare` takes what is for this repository alone out of package.json (the condition `source`, whose
 * files are not in the package), and `node publish.mjs restore` puts the file back as it was.
 * It deliberately changes nothing else: what is packed is what package.json's `files` say.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const MANIFEST = new URL('package.json', import.meta.url);
const KEPT = new URL('package.json.kept', import.meta.url);

const command = process.argv[2];
if (command === 'prepare') {
  // One that was kept by a run that did not end is the repository's own.
  if (existsSync(KEPT)) renameSync(KEPT, MANIFEST);
  const text = readFileSync(MANIFEST, 'utf8');
  const { scripts: _scripts, devDependencies: _devDependencies, exports, ...manifest } = JSON.parse(text);
  const { source: _source, ...published } = exports['.'];
  writeFileSync(KEPT, text);
  writeFileSync(MANIFEST, `${JSON.stringify({ ...manifest, exports: { '.': published } }, null, 2)}\n`);
} else if (command === 'restore') {
  if (existsSync(KEPT)) renameSync(KEPT, MANIFEST);
} else {
  console.error("Say 'prepare' or 'restore'.");
  process.exitCode = 2;
}
