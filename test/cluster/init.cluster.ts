/**
 * The claims about `npm run init`: in a clean checkout, the answers of test/fixtures/answers.yaml give a cluster whose checks hold, whose dist a real API server takes,
 * and whose secrets kubeseal opens with the new key alone.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { privateKeyFile } from '../../lib/secrets/keys';
import { isAccepted } from './accepted';
import { findBinaries } from './binaries';
import type { ControlPlane } from './control-plane';
import { withDefinitions } from './definitions';
import { readDist } from './dist';
import { Judge } from './judge';
import { needsOf, startPlane } from './planes';
import { kubeseal, missingForSealedSecrets } from './sealed-secrets';

const ANSWERS = 'test/fixtures/answers.yaml';
const CLUSTER = (parse(readFileSync(ANSWERS, 'utf8')) as { name: string }).name;
const LONG = 300_000;

describe(`a checkout after npm run init -- --answers ${ANSWERS}`, () => {
  let checkout: string;
  let output: string;

  beforeAll(() => {
    checkout = cleanCheckout();
    output = run(checkout, 'init', '--answers', ANSWERS);
  }, LONG);

  afterAll(() => rmSync(checkout, { recursive: true, force: true }));

  test('has dist, and the next steps', () => {
    expect(output).toMatch(/^dist\/: \d+ files added, \d+ changed, 0 removed$/m);
    expect(output).toContain(`npm run doctor -- --cluster ${CLUSTER}`);
  });

  test('keeps every check', () => {
    expect(run(checkout, 'check')).toContain('Every check holds');
  });

  test('is not changed by a second run', () => {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: checkout, encoding: 'utf8' });
    git('add', '--all');
    run(checkout, 'init', '--answers', ANSWERS);
    expect(git('diff', '--stat') + git('ls-files', '--others', '--exclude-standard')).toBe('');
  });

  test('keeps the private key out of Git', () => {
    const listed = execFileSync('git', ['ls-files', '--others', '--cached', '--exclude-standard'], { cwd: checkout, encoding: 'utf8' });
    expect(listed.split('\n').filter((file) => file.endsWith('.key'))).toEqual([]);
  });

  test('is drilled with the new key', () => {
    expect(run(checkout, 'seal', '--cluster', CLUSTER, '--verify', '--key', privateKeyFile(checkout, CLUSTER))).toContain(
      'none is missing',
    );
  });

  const missing = missingForSealedSecrets();
  if (missing) test.skip(`kubeseal does not open its secrets: ${missing}`, () => undefined);
  else {
    test("has secrets that kubeseal's own recovery opens", () => {
      const secrets = path.join(checkout, 'secrets', CLUSTER);
      const files = readdirSync(secrets, { recursive: true, encoding: 'utf8' }).filter((file) => /^[^/]+\/[^/]+\.yaml$/.test(file));
      const opened = files.map((file) => {
        const text = readFileSync(path.join(secrets, file), 'utf8');
        const secret = parse(
          kubeseal(['--recovery-unseal', '--recovery-private-key', privateKeyFile(checkout, CLUSTER), '--format', 'yaml'], text),
        );
        return [Object.keys(secret.data), Object.keys(parse(text).spec.encryptedData)];
      });
      expect(opened.map(([keys]) => keys?.sort())).toEqual(opened.map(([, keys]) => keys?.sort()));
      expect(opened.length).toBeGreaterThan(10);
    });
  }

  describe('has a dist that a real API server takes', () => {
    let plane: ControlPlane | undefined;
    let judge: Judge;

    beforeAll(async () => {
      const [binaries] = findBinaries();
      if (binaries === undefined) throw new Error('There are no binaries.');
      const dist = path.join(checkout, 'dist');
      const needs = needsOf(readDist(CLUSTER, dist).map(({ object }) => object));
      const started = await withDefinitions((definitions) => startPlane(binaries, CLUSTER, needs, definitions));
      plane = started.plane;
      judge = new Judge(started.test, dist);
      await judge.client.discover();
    }, LONG);

    afterAll(async () => {
      judge?.client.close();
      await plane?.stop();
    });

    isAccepted(() => judge);
  });
});

/** The files that Git knows or would add, as they are, in a repository of their own with one commit. */
function cleanCheckout(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'checkout-'));
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  // What was deleted and not committed yet is listed too.
  for (const file of files.split('\0').filter((each) => each !== '' && existsSync(each))) cpSync(file, path.join(folder, file));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@test.invalid', ...args], { cwd: folder, stdio: 'ignore' });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Checkout');
  // After the commit: the packages are no part of it.
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  execFileSync('bash', ['-c', 'echo node_modules >> .git/info/exclude'], { cwd: folder });
  return folder;
}

/** A command as npm runs it. @returns what it printed @throws when it fails, with what it said */
function run(cwd: string, command: string, ...args: readonly string[]): string {
  return execFileSync(process.execPath, ['commands/run.mjs', command, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
