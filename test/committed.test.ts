/** What Git has committed, whatever the folder holds by now. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { committedFiles } from '../lib/committed';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'committed-'));
  mkdirSync(path.join(folder, 'dist', 'a'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: folder, stdio: 'ignore' });
const commit = (files: Record<string, string>) => {
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text);
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'x');
};

test('the committed text is read, not the one on disk', () => {
  commit({ 'dist/a/x.yaml': 'old: "ü"\n', 'dist/a/y.yaml': 'two\nlines\n' });
  rmSync(path.join(folder, 'dist/a/x.yaml'));
  expect([...committedFiles(path.join(folder, 'dist'), () => true)]).toEqual([
    ['a/x.yaml', 'old: "ü"\n'],
    ['a/y.yaml', 'two\nlines\n'],
  ]);
});

test('only what is asked for is read', () => {
  commit({ 'dist/a/x.yaml': '1', 'dist/a/y.yaml': '2' });
  expect([...committedFiles(path.join(folder, 'dist'), (file) => file.endsWith('y.yaml')).keys()]).toEqual(['a/y.yaml']);
});

test('a folder that was deleted is read all the same', () => {
  commit({ 'dist/a/x.yaml': '1' });
  rmSync(path.join(folder, 'dist'), { recursive: true });
  expect([...committedFiles(path.join(folder, 'dist'), () => true)]).toEqual([['a/x.yaml', '1']]);
});

test('a folder without Git has nothing committed', () => {
  expect(committedFiles(path.join(folder, 'dist'), () => true).size).toBe(0);
});

test('a repository without a commit has nothing committed', () => {
  git('init', '-q');
  expect(committedFiles(path.join(folder, 'dist'), () => true).size).toBe(0);
});
