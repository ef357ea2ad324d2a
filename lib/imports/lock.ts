/**
 * imports/lock.json: which bytes the generated files were made from, by which version of the command, and what was
 * made. It deliberately answers only from what is on disk: without a network it proves that nobody edited a generated
 * file and that no pinned address changed; that the same sources give the same files is proven by making them again
 * (generate.ts).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importCommand } from './bindings';
import { definitionsOnly, definitionTexts } from './definitions';
import { BUILT_IN_KINDS, CUSTOM_KINDS, type KindList } from './kinds';
import { ImportError, parseSourceList, type SourceEntry, type SourceFile, sha256 } from './sources';
import { INDEX_FILE } from './validation-schema';

/** The folder of generated files, relative to the project's root. */
export const IMPORTS_FOLDER = 'imports';
/** The lock, relative to `IMPORTS_FOLDER`. */
export const LOCK_FILE = 'lock.json';
/** The folder of validation schemas, relative to `IMPORTS_FOLDER`. */
export const SCHEMAS_FOLDER = 'schemas';

/** An upstream file as it was when the generated files were made. */
export interface LockedSource extends SourceEntry {
  /** Of the bytes at the address (or of the mirror's copy, if the address was never read). */
  readonly sha256: string;
  /**
   * Of its CustomResourceDefinitions alone, where the file holds other objects too (an installation manifest): a mirror
   * may leave those out.
   */
  readonly definitionsSha256?: string;
}

/** The content of imports/lock.json. */
export interface ImportLock {
  /** Name and version of the package whose command made the bindings: `cdk8s-cli@1.2.3`. */
  readonly command: string;
  readonly sources: readonly LockedSource[];
  /** Path relative to `IMPORTS_FOLDER`, with `/`, to the SHA-256 of the content; sorted. */
  readonly files: Readonly<Record<string, string>>;
}

/** The name of the command's package at its installed version, as the lock writes it. */
export function commandVersion(projectRoot: string): string {
  return `cdk8s-cli@${importCommand(projectRoot).version}`;
}

/** @returns `undefined` when there is no lock yet. @throws ImportError when there is one that is no lock. */
export function readLock(projectRoot: string): ImportLock | undefined {
  const path = join(projectRoot, IMPORTS_FOLDER, LOCK_FILE);
  if (!existsSync(path)) return undefined;
  let lock: Partial<ImportLock> | null;
  try {
    lock = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ImportError([`${path} is not JSON (${String(error)}); restore it from Git.`]);
  }
  if (typeof lock?.command !== 'string' || !Array.isArray(lock.sources) || typeof lock.files !== 'object') {
    throw new ImportError([`${path} lacks "command", "sources" or "files"; restore it from Git.`]);
  }
  return lock as ImportLock;
}

/** Whether the bytes of a file are those that the lock knows, other objects than definitions aside. */
function matchesLock(locked: LockedSource, text: string): boolean {
  const known = [locked.sha256, locked.definitionsSha256];
  return known.includes(sha256(text)) || known.includes(sha256(definitionsOnly(text)));
}

/**
 * The lock's entries for the files, checked against the lock that is there: the bytes at a pinned address never change,
 * so different bytes mean that a tag was moved, or that a mirror is wrong.
 * @throws ImportError naming each file whose bytes the lock does not know.
 */
export function lockSources(
  files: readonly SourceFile[],
  previous: ImportLock | undefined,
  describe: (address: string) => string,
): LockedSource[] {
  const problems: string[] = [];
  const sources = files.map((file): LockedSource => {
    const { text, ...entry } = file;
    const earlier = previous?.sources.find(({ address }) => address === file.address);
    if (earlier !== undefined && !matchesLock(earlier, text)) {
      problems.push(
        `${describe(file.address)} has the sha256 ${sha256(text)}, but ${IMPORTS_FOLDER}/${LOCK_FILE} has ${earlier.sha256}: the file is not the one that was reviewed. If upstream really replaced it and you trust it, remove its entry from the lock and import again.`,
      );
    }
    // A reduced copy says nothing about the whole file, whose hash an earlier import knew.
    if (earlier?.definitionsSha256 !== undefined) return { ...entry, sha256: earlier.sha256, definitionsSha256: earlier.definitionsSha256 };
    const definitions = definitionTexts(text);
    const documents = text.split(/^---(?:[ \t].*)?$/m).filter((document) => document.replace(/^\s*#.*$/gm, '').trim() !== '');
    return {
      ...entry,
      sha256: sha256(text),
      ...(definitions.length > 0 && definitions.length < documents.length ? { definitionsSha256: sha256(definitionsOnly(text)) } : {}),
    };
  });
  if (problems.length > 0) throw new ImportError(problems);
  return sources;
}

/** The lock as it is written. */
export function renderLock(lock: ImportLock): string {
  return `${JSON.stringify(lock, null, 2)}\n`;
}

/** All files below a folder, as sorted paths relative to it with `/`. */
export function listFiles(folder: string, below = ''): string[] {
  if (!existsSync(join(folder, below))) return [];
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? listFiles(folder, `${below}${entry.name}/`) : [`${below}${entry.name}`]))
    .sort();
}

/**
 * Proves without a network that imports/ is what `npm run import` left there: every generated file as the lock has it,
 * none besides, cdk8s.yaml's addresses and lib/imports/kinds.ts's kinds the ones it was made from, and the command's
 * version the one that made it.
 * @param projectRoot the folder with cdk8s.yaml; by default the working directory.
 * @returns a sentence for each difference; empty when there is none.
 */
export function verifyImports(
  projectRoot: string = process.cwd(),
  kinds: readonly KindList[] = [...CUSTOM_KINDS, ...BUILT_IN_KINDS],
): string[] {
  const again = 'run `npm run import`';
  try {
    const lock = readLock(projectRoot);
    if (lock === undefined) return [`${IMPORTS_FOLDER}/${LOCK_FILE} does not exist; ${again}.`];
    const entries = parseSourceList(readFileSync(join(projectRoot, 'cdk8s.yaml'), 'utf8'));
    const problems = [
      ...verifyAddresses(entries, lock, again),
      ...verifyFiles(projectRoot, lock, again),
      ...verifyKinds(projectRoot, kinds, again),
    ];
    const command = commandVersion(projectRoot);
    if (command !== lock.command) problems.push(`The bindings were made by ${lock.command}, but ${command} is installed; ${again}.`);
    return problems;
  } catch (error) {
    if (error instanceof ImportError) return [...error.problems];
    throw error;
  }
}

function verifyAddresses(entries: readonly SourceEntry[], lock: ImportLock, again: string): string[] {
  const spell = ({ prefix, address }: SourceEntry) => (prefix === undefined ? address : `${prefix}:=${address}`);
  const listed = new Set(entries.map(spell));
  const locked = new Set(lock.sources.map(spell));
  return [
    ...[...listed]
      .filter((each) => !locked.has(each))
      .map((each) => `cdk8s.yaml lists ${each}, which imports/ was not made from; ${again}.`),
    ...[...locked]
      .filter((each) => !listed.has(each))
      .map((each) => `imports/ was made from ${each}, which cdk8s.yaml does not list; ${again}.`),
  ];
}

function verifyFiles(projectRoot: string, lock: ImportLock, again: string): string[] {
  const folder = join(projectRoot, IMPORTS_FOLDER);
  const problems: string[] = [];
  const present = new Set(listFiles(folder).filter((path) => path !== LOCK_FILE));
  for (const [path, hash] of Object.entries(lock.files)) {
    if (!present.delete(path)) problems.push(`${IMPORTS_FOLDER}/${path} is missing; ${again}.`);
    else if (sha256(readFileSync(join(folder, path), 'utf8')) !== hash) {
      problems.push(`${IMPORTS_FOLDER}/${path} is not as it was generated; it is never edited by hand: ${again} to restore it.`);
    }
  }
  for (const path of present) {
    problems.push(`${IMPORTS_FOLDER}/${path} is not a generated file; move it to lib/ if it is needed, or remove it.`);
  }
  return problems;
}

function verifyKinds(projectRoot: string, kinds: readonly KindList[], again: string): string[] {
  const path = join(projectRoot, IMPORTS_FOLDER, SCHEMAS_FOLDER, INDEX_FILE);
  if (!existsSync(path)) return [];
  const index = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, string>>;
  const made = new Set(Object.entries(index).flatMap(([apiVersion, list]) => Object.keys(list).map((kind) => `${kind} of ${apiVersion}`)));
  const listed = new Set(kinds.flatMap(({ apiVersion, kinds: list }) => list.map((kind) => `${kind} of ${apiVersion}`)));
  return [
    ...[...listed]
      .filter((each) => !made.has(each))
      .map((each) => `lib/imports/kinds.ts lists ${each}, but imports/ has no schema of it; ${again}.`),
    ...[...made]
      .filter((each) => !listed.has(each))
      .map((each) => `imports/ has a schema of ${each}, which lib/imports/kinds.ts does not list; ${again}.`),
  ];
}
