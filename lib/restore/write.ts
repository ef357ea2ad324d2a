/** Puts the files of a restore into a new folder. It deliberately writes over nothing: an earlier restore may be half done. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RestoreError } from './errors';
import type { RestorePlan } from './world';

/** @param folder from `root`. @throws RestoreError when it exists */
export function writeRestore(root: string, folder: string, { files }: RestorePlan): void {
  const target = path.resolve(root, folder);
  if (existsSync(target))
    throw new RestoreError(
      `${folder} exists already; it may be a restore that is half done. Remove it, or name another folder with --out.`,
    );
  mkdirSync(target, { recursive: true });
  for (const [name, text] of files) writeFileSync(path.join(target, name), text);
}
