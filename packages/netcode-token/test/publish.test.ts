/** The package as others install it: packed from a copy, so that nothing is written here. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

const PACKAGE = path.join(import.meta.dirname, '..');
const ROOT = path.join(PACKAGE, '../..');

describe('the packed package', () => {
  let directory: string;
  let copy: string;
  let packed: string;
  before(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'netcode-token-'));
    copy = path.join(directory, 'packages/netcode-token');
    const files = ['src', 'package.json', 'publish.mjs', 'README.md', 'LICENSE', 'tsconfig.json', 'tsconfig.build.json'];
    for (const file of files) cpSync(path.join(PACKAGE, file), path.join(copy, file), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(directory, 'node_modules'));
    execFileSync('npm', ['pack', '--silent', '--offline', '--cache', path.join(directory, 'cache')], {
      cwd: copy,
      env: { ...process.env, PATH: `${path.join(ROOT, 'node_modules/.bin')}:${process.env.PATH}` },
      stdio: 'ignore',
    });
    const { version } = JSON.parse(readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'));
    execFileSync('tar', ['-xzf', `netcode-token-${version}.tgz`], { cwd: copy });
    packed = path.join(copy, 'package');
  });
  after(() => rmSync(directory, { recursive: true, force: true }));
  const manifest = () => JSON.parse(readFileSync(path.join(packed, 'package.json'), 'utf8'));

  test('names only files that are in it', () => {
    assert.deepEqual(Object.keys(manifest().exports['.']), ['types', 'default']);
  });

  test('has its licence', () => {
    assert.equal(readFileSync(path.join(packed, 'LICENSE'), 'utf8'), readFileSync(path.join(ROOT, 'LICENSE'), 'utf8'));
  });

  test('makes tokens', () => {
    const program = "import { CONNECT_TOKEN_BYTES } from 'netcode-token'; console.log(CONNECT_TOKEN_BYTES);";
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(packed, 'node_modules'));
    assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: packed, encoding: 'utf8' }).trim(), '2048');
  });

  test('leaves the manifest as it was', () => {
    assert.equal(readFileSync(path.join(copy, 'package.json'), 'utf8'), readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'));
  });
});
