/**
 * Makes the program that the image runs: `build/` with main.mjs, its chunks, the page and the migrations.
 * It deliberately leaves out the embedded database, which is a laptop's. argon2 is compiled: it comes along as it is installed, for this platform.
 *
 *   npm run build -w connect-broker
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { programOptions } from './build-options.mjs';

const here = import.meta.dirname;
const target = path.join(here, 'build');
rmSync(target, { recursive: true, force: true });
const result = await build({
  entryPoints: { main: path.join(here, 'src/main.ts') },
  outdir: target,
  ...programOptions,
  metafile: true,
});
execFileSync(
  process.execPath,
  ['--import', 'tsx', '--conditions=source', path.join(here, 'src/page/build.ts'), path.join(target, 'page-bundle')],
  {
    stdio: 'inherit',
  },
);
cpSync(path.join(here, 'src/database/migrations'), path.join(target, 'migrations'), { recursive: true });

/** Copies an installed package and what it depends on. Of optional ones (code for each platform) those that are installed here. */
const copyPackage = (name, from) => {
  const manifest = findManifest(name, from);
  const folder = path.dirname(manifest);
  cpSync(folder, path.join(target, 'node_modules', name), { recursive: true });
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8'));
  for (const dependency of Object.keys(dependencies)) if (!(dependency in optionalDependencies)) copyPackage(dependency, folder);
  for (const dependency of Object.keys(optionalDependencies)) {
    try {
      findManifest(dependency, folder);
    } catch {
      continue;
    }
    copyPackage(dependency, folder);
  }
};
const findManifest = (name, from) => {
  const places = createRequire(path.join(from, 'package.json')).resolve.paths(name);
  for (const place of places) {
    const manifest = path.join(place, name, 'package.json');
    try {
      readFileSync(manifest);
      return manifest;
    } catch {}
  }
  throw new Error(`The package '${name}' is not installed; run 'npm ci' first.`);
};
copyPackage('@node-rs/argon2', here);

const bytes = Object.entries(result.metafile.outputs).reduce(
  (sum, [file, output]) => (file.endsWith('.mjs') ? sum + output.bytes : sum),
  0,
);
console.log(`${Object.keys(result.metafile.outputs).length} files in build/, ${(bytes / 1e6).toFixed(1)} MB of program`);
