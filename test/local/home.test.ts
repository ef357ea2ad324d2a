/** A laptop's own key, secrets and repository: they open, they stay, and the working tree is not touched. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { readTree } from '../../lib/emit/writer';
import { GIT_URL } from '../../lib/local/git-server';
import { commitForThisMachine, localHome, onThisMachine, sealForThisMachine } from '../../lib/local/home';
import { resolveCluster } from '../../lib/model/cluster';
import { strictLabel, unseal } from '../../lib/secrets/sealing';
import { fileStore } from '../../lib/secrets/store';
import { exampleHomelab, exampleLocal } from '../examples';

const home = localHome(mkdtempSync(path.join(os.tmpdir(), 'local-')));
const here = onThisMachine(exampleLocal, '172.19.0.3');
const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: home.repository, encoding: 'utf8' }).trim();
let sealed: ReadonlyMap<string, string>;
beforeAll(async () => {
  await sealForThisMachine(home, here, 2048);
  sealed = readTree(home.secrets);
  commitForThisMachine(home, here);
});
afterAll(() => rmSync(home.folder, { recursive: true, force: true }));

test('the private key can be read by its owner alone', () => {
  expect(statSync(path.join(home.folder, '.keys', 'local.key')).mode & 0o077).toBe(0);
});

test('every value opens with the key', () => {
  const key = readFileSync(path.join(home.folder, '.keys', 'local.key'), 'utf8');
  const files = fileStore(home.secrets, 'local').files();
  expect(files.length).toBeGreaterThan(5);
  for (const { namespace, name, encryptedData } of files)
    for (const value of Object.values(encryptedData)) expect(unseal(key, value, strictLabel(namespace, name)).length).toBeGreaterThan(0);
});

test('the certificate is no example', () => {
  expect(fileStore(home.secrets, 'local').certificate()?.example).toBe(false);
});

test('a second run seals nothing', async () => {
  expect([await sealForThisMachine(home, here, 2048), readTree(home.secrets)]).toEqual([[], sealed]);
});

test('a second run commits nothing', () => {
  const { commit } = commitForThisMachine(home, here);
  expect(commitForThisMachine(home, here).commit).toBe(commit);
});

test('what changed in the working tree is the next commit', () => {
  const before = commitForThisMachine(home, here).commit;
  const { commit } = commitForThisMachine(home, { ...here, broker: { ...here.broker, registration: 'invite' } });
  expect(git('diff', '--name-only', before, commit)).toBe(
    ['ConfigMap.connect-broker-config', 'Deployment.connect-broker']
      .map((name) => `dist/local/connect-broker/connect-broker/${name}.yaml`)
      .join('\n'),
  );
});

test('every Application of ours reads the Git inside of the cluster', () => {
  const sources = [...readTree(path.join(home.repository, 'dist'))]
    .filter(([file]) => file.includes('/argocd/Application.'))
    .map(([, text]) => parse(text).spec.source)
    .filter((source) => source.chart === undefined);
  expect(sources.length).toBeGreaterThan(5);
  expect(sources.filter(({ repoURL, targetRevision }) => repoURL !== GIT_URL || targetRevision !== 'main')).toEqual([]);
});

test('network policies let operators reach the API server at the address that Docker gave the node', () => {
  const text = readFileSync(
    path.join(home.repository, 'dist/local/namespaces/argocd/NetworkPolicy.argocd-application-controller.yaml'),
    'utf8',
  );
  expect(text).toContain('172.19.0.3/32');
});

test('plain text over the network is taken from a Git inside of the cluster alone', () => {
  const from = (repository: string) => () => resolveCluster({ ...exampleLocal, git: { repository, revision: 'main' } });
  expect(from(GIT_URL)).not.toThrow();
  for (const address of [
    'git://github.com/you/mmo-backend.git',
    'http://git.local-git.svc.cluster.local/mmo.git',
    'git://git.local-git/mmo.git',
  ])
    expect(from(address)).toThrow('must be an https://, ssh:// or git@host:path address');
});

test('a cluster that needs values of a person is refused by name', async () => {
  const other = localHome(mkdtempSync(path.join(os.tmpdir(), 'local-')));
  try {
    await expect(sealForThisMachine(other, exampleHomelab, 2048)).rejects.toThrow('cloudflare');
  } finally {
    rmSync(other.folder, { recursive: true, force: true });
  }
});
