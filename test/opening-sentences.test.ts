/**
 * Every file of source opens with a sentence that says which one idea it holds.
 * It deliberately does not judge the sentence; invalid descriptions need none, since their names are the mistake.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const FOLDERS = ['apps', 'argocd', 'charts', 'commands', 'examples', 'lib', 'packages', 'services', 'test'];
const MADE = new Set(['node_modules', 'target', 'dist', 'build', 'invalid']);
/** A comment in the first line, or after a program's own first line. */
const OPENING = /^(#!.*\n)?(\/\*\*|\/\/)/;

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory() && !MADE.has(entry.name)) yield* sources(file);
    else if (entry.isFile() && /\.(ts|mts|mjs|js|rs)$/.test(entry.name)) yield file;
  }
}

test('every file of source says first what it is', () => {
  const files = FOLDERS.flatMap((folder) => [...sources(folder)]);
  expect(files.filter((file) => !OPENING.test(readFileSync(file, 'utf8')))).toEqual([]);
});
