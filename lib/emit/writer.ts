/**
 * Writes trees of files so that they are either the old ones or the new ones: everything is staged beside the target before the first file is replaced.
 * It deliberately touches only what differs: unchanged files keep their time, files that nobody makes any more go.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a write would do, or did. Paths are relative to the target, with `/`. */
export interface TreeChange {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}

/** The text of every file below a folder by relative path, or an empty map when there is no such folder. */
export function readTree(directory: string): Map<string, string> {
  const files = new Map<string, string>();
  const walk = (relative: string): void => {
    for (const entry of readdirSync(path.join(directory, relative), { withFileTypes: true })) {
      const below = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) walk(below);
      else files.set(below, readFileSync(path.join(directory, below), 'utf8'));
    }
  };
  try {
    walk('');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || files.size > 0) throw error;
  }
  return files;
}

/** Compares without writing. */
export function compareTrees(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): TreeChange {
  const added: string[] = [];
  const changed: string[] = [];
  let unchanged = 0;
  for (const [file, text] of after) {
    const old = before.get(file);
    if (old === undefined) added.push(file);
    else if (old !== text) changed.push(file);
    else unchanged += 1;
  }
  const removed = [...before.keys()].filter((file) => !after.has(file));
  return { added: added.sort(), changed: changed.sort(), removed: removed.sort(), unchanged };
}

/**
 * Makes `directory` hold exactly `after`.
 * New texts are first written to a staging folder in the same file system; only when all are there are they renamed into place and stale files removed.
 * A failure before that point (a full disk) leaves the tree as it was.
 * @param change what `compareTrees` says of the two, for whoever has asked already
 */
export function writeTree(
  directory: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  change: TreeChange = compareTrees(before, after),
): TreeChange {
  const staging = path.join(path.dirname(directory), `.${path.basename(directory)}.staging-${process.pid}`);
  try {
    // A run that was killed may have left one, and numbers of processes come again, in containers soon.
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(staging, { recursive: true });
    for (const { from, to } of stage(directory, staging, [...change.added, ...change.changed], after)) renameSync(from, to);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  for (const file of change.removed) rmSync(path.join(directory, file));
  removeEmptyFolders(directory, new Set(change.removed.map((file) => path.dirname(file))));
  return change;
}

interface Move {
  readonly from: string;
  readonly to: string;
}

/**
 * Writes the files into the staging folder and answers what has to be moved into place.
 * A folder that the tree does not have yet is staged and moved as a whole, with everything below it: one rename for a new realm, or for all of a new tree.
 */
function stage(directory: string, staging: string, files: readonly string[], texts: ReadonlyMap<string, string>): Move[] {
  const moves: Move[] = [];
  const moved = (below: string): string => {
    const from = `${staging}/${moves.length}`;
    moves.push({ from, to: below === '' ? directory : `${directory}/${below}` });
    return from;
  };
  const places = new Map<string, string | undefined>();
  /** Where a folder of the tree is staged; undefined when the tree has it already. */
  const placeOf = (folder: string): string | undefined => {
    if (places.has(folder)) return places.get(folder);
    const slash = folder.lastIndexOf('/');
    const above = folder === '' ? undefined : placeOf(folder.slice(0, Math.max(0, slash)));
    let place: string | undefined;
    if (above !== undefined) place = `${above}/${folder.slice(slash + 1)}`;
    else if (!isThere(`${directory}/${folder}`, 'folder')) place = moved(folder);
    if (place !== undefined) mkdirSync(place);
    places.set(folder, place);
    return place;
  };
  for (const file of files) {
    const slash = file.lastIndexOf('/');
    const folder = placeOf(file.slice(0, Math.max(0, slash)));
    if (folder === undefined) isThere(`${directory}/${file}`, 'file');
    writeFileSync(folder === undefined ? moved(file) : `${folder}/${file.slice(slash + 1)}`, texts.get(file) ?? '');
  }
  return moves;
}

/** Whether there is one. @throws when something else is in its place: renaming would fail there, with half of the tree replaced */
function isThere(place: string, what: 'file' | 'folder'): boolean {
  const found = statSync(place, { throwIfNoEntry: false });
  if (found && found.isDirectory() !== (what === 'folder'))
    throw new Error(`${place} is in the way: there has to be a ${what}. Nothing was written. Remove it, and run the command again.`);
  return found !== undefined;
}

function removeEmptyFolders(directory: string, folders: ReadonlySet<string>): void {
  for (const folder of folders) {
    for (let at = folder; at !== '.' && at !== ''; at = path.dirname(at)) {
      const absolute = path.join(directory, at);
      try {
        if (readdirSync(absolute).length > 0) break;
        rmdirSync(absolute);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }
}
