/**
 * What a laptop's cluster has of its own, in a folder that Git ignores: a sealing key, secrets sealed to it, and the repository that Argo CD reads, with the working
 * tree's dist/ made for this machine. It deliberately changes nothing in the working tree: its secrets stay the example's, and nothing has to be committed or pushed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { BuiltCluster } from '../build';
import { readTree, writeTree } from '../emit/writer';
import type { ClusterDescription } from '../model/cluster';
import { fill } from '../secrets/fill';
import { neededSecrets } from '../secrets/needs';
import { giveOwnKey } from '../secrets/own-key';
import { planMissing } from '../secrets/plan';
import { SecretsError } from '../secrets/sealing';
import { type FileStore, fileStore } from '../secrets/store';
import { makeValue } from '../secrets/values';
import { synthesize } from '../synth';
import { GIT_URL } from './git-server';

/** The description as it is on this machine: Docker chooses the node's address, and Git is in the cluster. */
export function onThisMachine(description: ClusterDescription, address: string): ClusterDescription {
  return {
    ...description,
    git: { repository: GIT_URL, revision: 'main' },
    kubernetes: { ...description.kubernetes, apiServer: { ...description.kubernetes.apiServer, addresses: [address] } },
    nodes: description.nodes.map((node) => ({ ...node, address })),
  };
}

export interface LocalHome {
  readonly folder: string;
  readonly secrets: string;
  /** Work tree of the repository that is served. */
  readonly repository: string;
}

/** @param folder `.local`, below the project's root */
export function localHome(folder: string): LocalHome {
  return { folder, secrets: path.join(folder, 'secrets'), repository: path.join(folder, 'repository') };
}

/**
 * Makes the key and every value that is missing; what is there stays, so that a second run changes no password.
 * @param bits of a new key. @default 4096
 * @returns what was sealed, one line a value
 * @throws SecretsError when a value is missing that only a person has: a laptop's cluster must need none
 */
export async function sealForThisMachine(home: LocalHome, description: ClusterDescription, bits?: number): Promise<readonly string[]> {
  mkdirSync(home.folder, { recursive: true, mode: 0o700 });
  const store = (): FileStore => fileStore(home.secrets, description.name);
  if (!store().certificate()) await giveOwnKey({ root: home.folder, cluster: description.name, store: store(), bits });
  const current = store();
  const certificate = current.certificate();
  if (!certificate) throw new Error(`${current.place} has no certificate although one was just made.`);
  const needed = neededSecrets(description, current);
  // Nobody can read a sealed value back, so copies of one value are made anew together; it is the cluster's own business here.
  const { lines, open } = await fill(current, certificate, needed, planMissing(needed, current), async ({ value }) =>
    'ask' in value.source ? undefined : { how: 'made new', plaintext: makeValue(value) },
  );
  if (open.length > 0) {
    throw new SecretsError([
      `The cluster '${description.name}' needs values that only a person has, so it cannot be tried out by one command: ${open.map(({ value }) => value.identity).join(', ')}.`,
    ]);
  }
  return lines;
}

/**
 * Synthesizes for this machine into the repository and commits what changed.
 * @throws SynthesisError with everything that is wrong with the description
 */
export function commitForThisMachine(
  home: LocalHome,
  description: ClusterDescription,
): { readonly built: BuiltCluster; readonly commit: string } {
  const { clusters, files } = synthesize([description], { secretsDirectory: home.secrets });
  const [synthesized] = clusters;
  if (synthesized === undefined) throw new Error('A synthesis of one cluster has no cluster.');
  mkdirSync(home.repository, { recursive: true });
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=local', '-c', 'user.email=local@local.invalid', '-c', 'commit.gpgsign=false', ...args], {
      cwd: home.repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim();
  if (!existsSync(path.join(home.repository, '.git'))) git('init', '--quiet', '--initial-branch=main');
  const dist = path.join(home.repository, 'dist');
  writeTree(dist, readTree(dist), files);
  git('add', '--all');
  if (git('status', '--porcelain') !== '') git('commit', '--quiet', '--message', 'The working tree, for this machine');
  return { built: synthesized.built, commit: git('rev-parse', 'HEAD') };
}

/** The repository as one file, for `receiveProgram`. */
export function bundle(home: LocalHome): Buffer {
  return execFileSync('git', ['bundle', 'create', '--quiet', '-', 'main'], {
    cwd: home.repository,
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
