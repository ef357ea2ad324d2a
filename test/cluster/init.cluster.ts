/**
 * The claims about `npm run init`: in a clean checkout, the answers of test/fixtures/answers.yaml give a cluster whose checks hold, whose dist a real API server takes,
 * and whose secrets kubeseal and the running controller open with the new key alone.
 */
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import type { PlainObject } from '../../lib/emit/manifest';
import { privateKeyFile } from '../../lib/secrets/keys';
import { placeName } from '../../lib/secrets/plan';
import { openAll } from '../../lib/secrets/recovery';
import { fileStore } from '../../lib/secrets/store';
import { exampleHomelab } from '../examples';
import { isAccepted } from './accepted';
import { findBinaries } from './binaries';
import type { ControlPlane } from './control-plane';
import { withDefinitions } from './definitions';
import { readDist } from './dist';
import { Judge } from './judge';
import { needsOf, startPlane } from './planes';
import { missingForSealedSecrets, notSynced, printedCommands, recovered, SealedSecretsCluster } from './sealed-secrets';

const ANSWERS = 'test/fixtures/answers.yaml';
const CLUSTER = (parse(readFileSync(ANSWERS, 'utf8')) as { name: string }).name;
/** The cluster of the pages' commands. */
const DOCUMENTED = exampleHomelab.name;
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

  test('has secrets that all open with the new key', () => {
    expect(run(checkout, 'seal', '--cluster', CLUSTER, '--verify', '--key', privateKeyFile(checkout, CLUSTER))).toContain(
      'none is missing',
    );
  });

  const missing = missingForSealedSecrets();
  if (missing) test.skip(`its secrets are not opened by kubeseal and the controller: ${missing}`, () => undefined);
  else
    describe('has secrets', () => {
      let cluster: SealedSecretsCluster;
      let values: Record<string, string>;
      let objects: PlainObject[];
      let answers: PlainObject[];

      beforeAll(async () => {
        const key = privateKeyFile(checkout, CLUSTER);
        const store = fileStore(path.join(checkout, 'secrets'), CLUSTER);
        const opened = openAll(store, [createPrivateKey(readFileSync(key))]);
        values = Object.fromEntries(opened.map((value) => [placeName(value), value.plaintext.toString('base64')]));
        objects = readDist(CLUSTER, path.join(checkout, 'dist')).flatMap(({ object }) => (object.kind === 'SealedSecret' ? [object] : []));
        cluster = await SealedSecretsCluster.start();
        // The namespaces that dist has before the controller's own, which the commands make.
        await cluster.makeNamespaces(objects.map(({ metadata }) => metadata.namespace ?? ''));
        const commands = printedCommands('docs/how-to/secrets.md', 'Give the key to a cluster');
        await cluster.bringKey(
          commands.map((command) => command.replaceAll(DOCUMENTED, CLUSTER)),
          checkout,
        );
        await cluster.startController();
        answers = await cluster.applySealed(objects);
      }, LONG);

      afterAll(() => cluster?.stop());

      test("that kubeseal's own recovery opens with the new key alone, every one", () => {
        const opened = objects.flatMap((object) => Object.entries(recovered(stringify(object), privateKeyFile(checkout, CLUSTER))));
        expect(Object.fromEntries(opened)).toEqual(values);
        expect(opened.length).toBeGreaterThan(10);
      });

      test('that the running controller opens, every one', () => {
        expect(notSynced(answers)).toEqual([]);
      });

      test('whose very values the running controller gives to the cluster', async () => {
        expect(await cluster.plaintexts(objects)).toEqual(values);
      });

      test('for which the running controller made no key of its own', async () => {
        expect(await cluster.keys()).toEqual(['sealing-key']);
      });
    });

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
