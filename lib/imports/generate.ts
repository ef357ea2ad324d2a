/**
 * What `npm run import` does: upstream's files in, the content of imports/ out, written or compared. It deliberately
 * makes everything in memory first, so that a failure leaves imports/ as it was.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFiles } from '../replace-files';
import { generateBindings } from './bindings';
import { selectDefinitions } from './definitions';
import { BUILT_IN_KINDS, CUSTOM_KINDS, type KindList } from './kinds';
import { commandVersion, IMPORTS_FOLDER, LOCK_FILE, listFiles, lockSources, readLock, renderLock, SCHEMAS_FOLDER } from './lock';
import { ImportError, parseSourceList, readSources, type SourceReader, sha256 } from './sources';
import { generateValidationSchemas } from './validation-schemas';

/** What to import, and from where. */
export interface ImportOptions {
  /** The folder with cdk8s.yaml, imports/ and node_modules/. */
  readonly projectRoot: string;
  readonly reader: SourceReader;
  /** By default those of kinds.ts; tests import smaller lists. */
  readonly customKinds?: readonly KindList[];
  readonly builtInKinds?: readonly KindList[];
}

/** What an import would change, or has changed; paths are relative to imports/. */
export interface ImportDifference {
  readonly path: string;
  readonly change: 'added' | 'changed' | 'removed';
}

/**
 * Generates the whole content of imports/, the lock included.
 * @returns path relative to imports/, with `/`, to content.
 * @throws ImportError with every mistake in cdk8s.yaml, the list of kinds and upstream's files.
 */
export async function generateImports(options: ImportOptions): Promise<Map<string, string>> {
  const { projectRoot, reader, customKinds = CUSTOM_KINDS, builtInKinds = BUILT_IN_KINDS } = options;
  const entries = parseSourceList(readFileSync(join(projectRoot, 'cdk8s.yaml'), 'utf8'));
  const sources = await readSources(entries, reader);
  const locked = lockSources(sources, readLock(projectRoot), (address) => reader.describe(address));

  const isKubernetes = (address: string) => new URL(address).pathname.endsWith('/_definitions.json');
  const kubernetes = sources.filter(({ address }) => isKubernetes(address));
  if (kubernetes[0] === undefined || kubernetes.length > 1) {
    throw new ImportError([
      `cdk8s.yaml must list exactly one address of Kubernetes' JSON schema (…/_definitions.json), but lists ${kubernetes.length}.`,
    ]);
  }
  const definitionFiles = sources.filter(({ address }) => !isKubernetes(address));
  const selected = selectDefinitions(definitionFiles, customKinds);
  const schemas = generateValidationSchemas(selected, kubernetes[0], builtInKinds);
  const bindings = await generateBindings(selected, projectRoot);

  const files = new Map([...bindings, ...[...schemas].map(([name, text]) => [`${SCHEMAS_FOLDER}/${name}`, text] as const)]);
  const hashes = [...files.keys()].sort().map((path) => [path, sha256(files.get(path) as string)]);
  files.set(LOCK_FILE, renderLock({ command: commandVersion(projectRoot), sources: locked, files: Object.fromEntries(hashes) }));
  return files;
}

/** What is on disk against what was generated, sorted by path. */
export function compareImports(projectRoot: string, generated: ReadonlyMap<string, string>): ImportDifference[] {
  const folder = join(projectRoot, IMPORTS_FOLDER);
  const present = listFiles(folder);
  const differences: ImportDifference[] = present.filter((path) => !generated.has(path)).map((path) => ({ path, change: 'removed' }));
  for (const [path, text] of generated) {
    if (!present.includes(path)) differences.push({ path, change: 'added' });
    else if (readFileSync(join(folder, path), 'utf8') !== text) differences.push({ path, change: 'changed' });
  }
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Writes imports/: each file that changed by way of a temporary one, the lock last, so that an interruption leaves
 * whole files and a lock that does not match them (which `npm run check` says), never a half file that looks right.
 * @returns what changed.
 */
export function writeImports(projectRoot: string, generated: ReadonlyMap<string, string>): ImportDifference[] {
  const folder = join(projectRoot, IMPORTS_FOLDER);
  const differences = compareImports(projectRoot, generated);
  for (const { path, change } of [...differences].sort((a, b) => Number(a.path === LOCK_FILE) - Number(b.path === LOCK_FILE))) {
    const target = join(folder, path);
    if (change === 'removed') rmSync(target);
    else replaceFiles([[target, generated.get(path) as string]]);
  }
  return differences;
}
