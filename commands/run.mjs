/**
 * Starts a command: bundles commands/<name>.ts with esbuild (0.2 s of CPU instead of ts-node's 17) and runs it in this process.
 * It deliberately knows nothing of the commands. Usage: node commands/run.mjs <name> [arguments]. Works from the project's root only.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import vm from 'node:vm';

// A command lives for a second or three, and V8 is set for programs that live for hours. Fifteen times its patience before it optimizes a function (measured with
// 1,000 realms: 4.0 → 3.3 CPU seconds), and collections of the young on one thread, because several mostly wait for each other (3.3 → 3.1). Both may be set late;
// collections of the old on one thread (`--single-threaded-gc`, a tenth less) may not: package.json's scripts say that to Node.
// The patience has another name, and unit, from V8 12 on (Node 22); an unknown flag would be said on stderr.
v8.setFlagsFromString(
  Number.parseInt(process.versions.v8, 10) < 12 ? '--interrupt-budget=1000000' : '--invocation-count-for-turbofan=15000',
);
v8.setFlagsFromString('--no-parallel-scavenge');

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const name = process.argv[2] ?? '';
const entry = path.join(root, 'commands', `${name}.ts`);
if (!/^[a-z-]+$/.test(name) || !existsSync(entry)) {
  console.error(`There is no command '${name}'; the commands are the scripts of package.json (npm run).`);
  process.exit(2);
}
process.chdir(root);
/** One sentence instead of a stack: what went wrong is in somebody's file, not in this one. */
const stop = (message) => {
  console.error(message);
  process.exit(1);
};
const require = createRequire(path.join(root, 'package.json'));
/** Not imported: Node reads a CommonJS package twice for an import. */
const bundler = () => {
  try {
    return require('esbuild');
  } catch {
    return stop("The packages are not installed; run 'npm ci' first.");
  }
};
const { build } = bundler();
// zod loads its messages in fifty languages, half of its start, and says ours in English. The place is one of its public ones.
const languages = require.resolve('zod/v4/locales');
require.cache[languages] = { id: languages, filename: languages, loaded: true, exports: {} };
const result = await build({
  entryPoints: [entry],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  sourcemap: process.env.MMO_SOURCE_MAPS ? 'inline' : false,
  logLevel: 'error',
  outfile: path.join(root, `${name}.bundle.js`),
  // Packages are loaded by Node itself: they need no transformation, and bundling cdk8s-plus's 3 MB of classes takes longer than loading them.
  packages: 'external',
}).catch((error) => {
  // esbuild has printed the place already.
  if (error.errors) stop(`${error.errors.length} error${error.errors.length === 1 ? '' : 's'}; nothing was written.`);
  throw error;
});
process.argv.splice(1, 2, entry);
const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${result.outputFiles[0].text}\n})`, {
  filename: path.join(root, `${name}.bundle.js`),
});
const module = { exports: {} };
script.runInThisContext()(module.exports, require, module, entry, path.dirname(entry));
const main = module.exports.main;
if (typeof main !== 'function') throw new Error(`commands/${name}.ts does not export a function 'main'.`);
process.exitCode = await main(process.argv.slice(2));
