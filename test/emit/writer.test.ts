/** The writer: old tree or new tree, nothing in between, and no needless touch. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readTree, writeTree } from '../../lib/emit/writer';

let directory: string;
beforeEach(() => {
  directory = path.join(mkdtempSync(path.join(os.tmpdir(), 'writer-')), 'dist');
});
afterEach(() => rmSync(path.dirname(directory), { recursive: true, force: true }));

const write = (files: Record<string, string>) => writeTree(directory, readTree(directory), new Map(Object.entries(files)));

test('a tree is written below a folder that did not exist', () => {
  write({ 'a/b/x.yaml': '1\n' });
  expect([...readTree(directory)]).toEqual([['a/b/x.yaml', '1\n']]);
});

test('a file that nobody makes any more goes, with its empty folder', () => {
  write({ 'a/x.yaml': '1', 'b/y.yaml': '2' });
  write({ 'b/y.yaml': '2' });
  expect(readdirSync(directory)).toEqual(['b']);
});

test('new folders come beside and below those that are there', () => {
  write({ 'a/x.yaml': '1' });
  write({ 'a/x.yaml': '1', 'a/y.yaml': '2', 'a/b/c/z.yaml': '3', 'd/e/w.yaml': '4', 'v.yaml': '5' });
  expect(Object.fromEntries(readTree(directory))).toEqual({
    'a/x.yaml': '1',
    'a/y.yaml': '2',
    'a/b/c/z.yaml': '3',
    'd/e/w.yaml': '4',
    'v.yaml': '5',
  });
});

test('an empty folder that is there already is filled', () => {
  mkdirSync(path.join(directory, 'a', 'empty'), { recursive: true });
  write({ 'a/x.yaml': '1' });
  expect(readdirSync(path.join(directory, 'a')).sort()).toEqual(['empty', 'x.yaml']);
});

test('a failure while a new tree is staged leaves none', () => {
  // A file cannot be where a folder has to be.
  expect(() => write({ a: '1', 'a/x.yaml': '2' })).toThrow();
  expect(readdirSync(path.dirname(directory))).toEqual([]);
});

test('an unchanged file keeps its time', () => {
  write({ 'x.yaml': '1', 'y.yaml': '1' });
  const file = path.join(directory, 'x.yaml');
  utimesSync(file, 1000, 1000);
  write({ 'x.yaml': '1', 'y.yaml': '2' });
  expect(statSync(file).mtimeMs).toBe(1_000_000);
});

test('the change says what was added, changed and removed', () => {
  write({ a: '1', b: '1', c: '1' });
  expect(write({ b: '1', c: '2', d: '1' })).toEqual({ added: ['d'], changed: ['c'], removed: ['a'], unchanged: 1 });
});

test('a failure while staging leaves the tree as it was', () => {
  write({ 'x.yaml': 'old' });
  // A file cannot be where a folder has to be.
  expect(() => write({ 'x.yaml': 'new', 'b/a': '1', 'b/a/x.yaml': '2' })).toThrow();
  expect([...readTree(directory)]).toEqual([['x.yaml', 'old']]);
});

test.each([
  ['a file where a folder has to be', 'b', { 'a.yaml': 'new', 'b/x.yaml': '1' }],
  ['a folder where a file has to be', 'b/c', { 'a.yaml': 'new', b: '1' }],
])('%s is named, and the tree left as it was', (_, inTheWay, files) => {
  write({ 'a.yaml': 'old', [inTheWay]: 'x' });
  expect(() => write(files)).toThrow(`${path.join(directory, 'b')} is in the way`);
  expect(readTree(directory).get('a.yaml')).toBe('old');
});

test('what a killed run of the same process number had staged is in nobody’s way', () => {
  mkdirSync(path.join(path.dirname(directory), `.dist.staging-${process.pid}`, '0'), { recursive: true });
  write({ 'a/x.yaml': '1' });
  expect([...readTree(directory)]).toEqual([['a/x.yaml', '1']]);
});

test('no staging folder is left behind', () => {
  write({ 'x.yaml': '1' });
  expect(readdirSync(path.dirname(directory))).toEqual(['dist']);
});

test('a folder that cannot be read is an error, not an empty tree', () => {
  mkdirSync(path.join(directory, 'a'), { recursive: true });
  writeFileSync(path.join(directory, 'a', 'x'), '');
  chmodSync(path.join(directory, 'a'), 0);
  const readable = process.getuid?.() === 0;
  try {
    if (readable) expect(readTree(directory).size).toBe(1);
    else expect(() => readTree(directory)).toThrow('EACCES');
  } finally {
    chmodSync(path.join(directory, 'a'), 0o755);
  }
});
