/**
 * The drill of the key and the secrets (`npm run drill`): a cluster is lost with all of its data, and so is the checkout; out of Git and the copy of one key file a new
 * cluster has every secret again, equal to the byte. The database and the worlds are other procedures (docs/how-to/restore-the-database.md).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlainObject } from '../../lib/emit/manifest';
import { lastRecoveryDrill } from '../../lib/secrets/drill';
import { KEYS_FOLDER, privateKeyFile } from '../../lib/secrets/keys';
import { SealProject } from './seal-project';
import { missingForSealedSecrets, printedCommands, SealedSecretsCluster } from './sealed-secrets';

const missing = missingForSealedSecrets();
const LONG = 300_000;

if (missing) test.skip(`The recovery drill is left out: ${missing}`, () => undefined);
else describe('the recovery drill', judge);

function judge(): void {
  const project = new SealProject();
  const outside = mkdtempSync(join(tmpdir(), 'outside-'));
  /** What outlives the disaster. */
  const copy = join(outside, 'homelab.key');
  const repository = join(outside, 'repository.git');
  let before: Record<string, string>;
  let after: Record<string, string>;
  let keys: string[];
  let sealed: PlainObject[];

  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@test.invalid', ...args], {
      cwd,
      stdio: ['ignore', 'ignore', 'inherit'],
    });

  beforeAll(async () => {
    await project.sealEverything();
    copyFileSync(privateKeyFile(project.folder, project.cluster), copy);
    git(outside, 'init', '--quiet', '--bare', 'repository.git');
    git(project.folder, 'init', '--quiet', '--initial-branch=main');
    git(project.folder, 'add', 'secrets');
    git(project.folder, 'commit', '--quiet', '--message', 'Secrets');
    git(project.folder, 'push', '--quiet', repository, 'main');
    before = await inNewCluster(project.folder);

    // Everything is lost: the cluster above is gone already, and now the checkout with the key.
    rmSync(project.folder, { recursive: true });
    git(outside, 'clone', '--quiet', '--branch', 'main', repository, project.folder);
    mkdirSync(join(project.folder, KEYS_FOLDER));
    copyFileSync(copy, privateKeyFile(project.folder, project.cluster));
    after = await inNewCluster(project.folder);
  }, LONG);

  afterAll(() => {
    project.remove();
    rmSync(outside, { recursive: true, force: true });
  });

  test('gives every Secret the very values that it had', () => {
    expect(after).toEqual(before);
  });

  test('is about every value that the cluster needs', () => {
    const needed = project.needed.flatMap(({ namespace, name, keys: each }) =>
      Object.keys(each).map((key) => `${namespace}/${name}/${key}`),
    );
    expect(Object.keys(before).sort()).toEqual(needed.sort());
  });

  test('leaves the new controller with the old key alone', () => {
    expect(keys).toEqual(['sealing-key']);
  });

  test('needs no more than Git and the copy of the key, by which all values open without a cluster too', async () => {
    expect(await project.seal('--verify', '--key', copy)).toContain(
      `${Object.keys(before).length} values in ${sealed.length} files opened`,
    );
    expect(lastRecoveryDrill(project.folder, project.cluster)?.date).toBe('2026-01-01');
  });

  test('finds a copy of the key that only its owner can read', () => {
    expect(statSync(copy).mode & 0o777).toBe(0o600);
  });

  /** Brings a cluster up as the page says: the key, then the controller, then what Argo CD would sync. It is lost at the end. */
  async function inNewCluster(folder: string): Promise<Record<string, string>> {
    sealed = project.sealedSecrets();
    const cluster = await SealedSecretsCluster.start();
    try {
      await cluster.makeNamespaces(sealed.map(({ metadata }) => metadata.namespace ?? ''));
      await cluster.bringKey(printedCommands('docs/how-to/secrets.md', 'Give the key to a cluster'), folder);
      await cluster.startController();
      await cluster.applySealed(sealed);
      keys = await cluster.keys();
      return await cluster.plaintexts(sealed);
    } finally {
      await cluster.stop();
    }
  }
}
