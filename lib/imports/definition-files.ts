/**
 * What `npm run crds` does: upstream's CustomResourceDefinitions into a folder, one whole document a file, for an API
 * server that tests apply objects to. It deliberately takes every definition of every source, used or not, unreduced:
 * a server must have what an operator would have installed.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { definitionTexts } from './definitions';
import { lockSources, readLock } from './lock';
import { ImportError, parseSourceList, readSources, type SourceReader } from './sources';

const FILE_NAME = /^[a-z0-9.-]+\.yaml$/;

/**
 * Writes the definitions to `<plural>.<group>.yaml` files. The folder appears, or is replaced, as a whole.
 * @returns the names of the files, sorted.
 * @throws ImportError when imports/lock.json does not know the bytes, two sources define the same thing, or the folder
 * holds something that this function would not have written.
 */
export async function writeDefinitions(projectRoot: string, reader: SourceReader, folder: string): Promise<string[]> {
  const target = resolve(folder);
  refuseForeignFolder(target);
  const lock = readLock(projectRoot);
  if (lock === undefined) throw new ImportError(['imports/lock.json does not exist, so no hash is known; run `npm run import` first.']);
  const entries = parseSourceList(readFileSync(join(projectRoot, 'cdk8s.yaml'), 'utf8')).filter(
    ({ address }) => !address.endsWith('.json'),
  );
  const unknown = entries.filter(({ address }) => !lock.sources.some((source) => source.address === address));
  if (unknown.length > 0) {
    throw new ImportError(unknown.map(({ address }) => `${address} has no hash in imports/lock.json; run \`npm run import\` first.`));
  }
  const sources = await readSources(entries, reader);
  lockSources(sources, lock, (address) => reader.describe(address));

  const files = new Map<string, string>();
  const problems: string[] = [];
  for (const { address, text } of sources) {
    for (const document of definitionTexts(text)) {
      // `metadata.name` is at a fixed depth; parsing the megabytes around it takes seconds.
      const name = /^metadata:\n(?:[ #].*\n|\n)*? {2}name: *["']?([\w.-]+)/m.exec(document)?.[1];
      if (name === undefined) problems.push(`${address} has a CustomResourceDefinition without a metadata.name.`);
      else if (files.has(`${name}.yaml`)) problems.push(`${address} defines ${name}, which an earlier address of cdk8s.yaml defines too.`);
      else files.set(`${name}.yaml`, `---\n${document}\n`);
    }
  }
  if (problems.length > 0) throw new ImportError(problems);
  replaceFolder(target, files);
  return [...files.keys()].sort();
}

function refuseForeignFolder(target: string): void {
  if (!existsSync(target)) return;
  const foreign = readdirSync(target, { withFileTypes: true }).filter(
    (entry) => !entry.isFile() || !FILE_NAME.test(entry.name) || !isDefinition(join(target, entry.name)),
  );
  if (foreign.length > 0) {
    const some = foreign.slice(0, 3).map(({ name }) => name);
    throw new ImportError([
      `${target} holds ${some.join(', ')}${foreign.length > some.length ? ` and ${foreign.length - some.length} more` : ''}, which is no CustomResourceDefinition; name a folder that is new, empty, or of an earlier run.`,
    ]);
  }
}

function isDefinition(path: string): boolean {
  return definitionTexts(readFileSync(path, 'utf8')).length === 1;
}

function replaceFolder(target: string, files: ReadonlyMap<string, string>): void {
  mkdirSync(dirname(target), { recursive: true });
  // Beside the target, because a rename does not cross file systems.
  const staging = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    const fresh = join(staging, 'new');
    mkdirSync(fresh);
    for (const [name, text] of files) writeFileSync(join(fresh, name), text);
    if (existsSync(target)) renameSync(target, join(staging, 'old'));
    renameSync(fresh, target);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
