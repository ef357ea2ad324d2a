/**
 * A project on disk that the doctor has nothing to say against: a description, its own sealing key, every value sealed, dist fresh, everything committed and pushed.
 * Each test breaks a copy in one way. The key is made when the tests run.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildCluster } from '../../lib/build';
import { type Diagnosis, type DoctorRequest, diagnose, groups } from '../../lib/doctor';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { type ProgramAnswer, type RunProgram, runProgram } from '../../lib/programs';
import { serializeDrill } from '../../lib/secrets/drill';
import { readCertificate, seal, strictLabel } from '../../lib/secrets/sealing';
import { fileStore, memoryStore } from '../../lib/secrets/store';
import { synthesizeToDisk } from '../../lib/synth-to-disk';
import { exampleHomelab } from '../examples';
import { makeKey, scratchFolder } from '../secrets/fixtures';

export const NOW = new Date('2026-06-01T12:00:00Z');
const DRILL = '2026-05-01';

/** As exampleHomelab, with a repository and a public address that somebody could have. */
export const description: ClusterDescription = {
  ...exampleHomelab,
  git: { repository: 'https://git.example.org/home/mmo.git', revision: 'main' },
  network: { ...exampleHomelab.network, publicAddress: '20.30.40.50' },
};

export interface Key {
  readonly certificate: string;
  readonly privateKey: string;
}

let prepared: Promise<{ root: string; key: Key }> | undefined;

/** The one that copies are made of. */
function original(): Promise<{ root: string; key: Key }> {
  prepared ??= makeKey().then((key) => {
    const root = scratchFolder();
    for (const file of ['package.json', 'package-lock.json', 'cdk8s.yaml']) cpSync(file, path.join(root, file));
    writeFileSync(path.join(root, '.gitignore'), '/node_modules\n/.keys/\n/imports\n');
    mkdirSync(path.join(root, 'apps'));
    writeFileSync(path.join(root, 'apps', 'homelab.ts'), '// the description\n');
    sealEverything(root, key);
    keepKey(root, key.privateKey);
    writeFileSync(
      path.join(root, 'secrets', 'homelab', 'last-recovery-drill.yaml'),
      serializeDrill({ date: DRILL, fingerprint: readCertificate(key.certificate, 'the certificate').keyFingerprint, key: 'copy' }),
    );
    synth(root);
    const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { stdio: 'ignore' });
    git('init', '--initial-branch', 'main');
    git('remote', 'add', 'origin', 'git@git.example.org:home/mmo.git');
    git('config', 'branch.main.remote', 'origin');
    git('config', 'branch.main.merge', 'refs/heads/main');
    commit(root);
    git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    return { root, key };
  });
  return prepared;
}

/** A copy to break. Packages and imports are this project's own. */
export async function healthyProject(): Promise<{ root: string; key: Key }> {
  const { root: from, key } = await original();
  const root = scratchFolder();
  cpSync(from, root, { recursive: true });
  for (const folder of ['node_modules', 'imports']) symlinkSync(path.resolve(folder), path.join(root, folder));
  return { root, key };
}

/** Everything in the folder, as one commit of nobody. */
export function commit(root: string): void {
  execFileSync('git', ['-C', root, 'add', '--all'], { stdio: 'ignore' });
  execFileSync('git', ['-C', root, '-c', 'user.name=test', '-c', 'user.email=test@example.org', 'commit', '--quiet', '-m', 'All'], {
    stdio: 'ignore',
  });
}

export function synth(root: string): void {
  synthesizeToDisk({ descriptions: [description], directory: path.join(root, 'dist'), secretsDirectory: path.join(root, 'secrets') });
}

export function keepKey(root: string, privateKey: string, mode = 0o600): void {
  mkdirSync(path.join(root, '.keys'), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(root, '.keys', 'homelab.key'), privateKey, { mode });
}

/** Values of no meaning, sealed to the key. */
export function sealEverything(root: string, { certificate }: Pick<Key, 'certificate'>): void {
  const store = fileStore(path.join(root, 'secrets'), 'homelab');
  store.writeCertificate(certificate);
  const to = readCertificate(certificate, 'the certificate');
  const { secrets } = buildCluster(resolveCluster(description), { store: memoryStore('everything') });
  store.write(
    secrets.flatMap(({ namespace, name, type, keys }) =>
      Object.keys(keys).map((key) => ({
        namespace,
        name,
        key,
        type,
        ciphertext: seal(to, strictLabel(namespace, name), Buffer.from('value')),
      })),
    ),
  );
}

/** Programs that answer as a machine with everything does; git is the real one. */
export const machine: RunProgram = async (program, args, options) => {
  const says = (output: string): ProgramAnswer => ({ code: 0, output, errors: '' });
  if (program === 'git') return runProgram(program, args, options);
  if (program === 'kubectl' && args[0] === 'version') return says('{ "clientVersion": { "gitVersion": "v1.36.0" } }');
  if (program === 'terraform') return says('{ "terraform_version": "1.11.4" }');
  return undefined;
};

const NAMES: Readonly<Record<string, readonly string[]>> = { 'mmo.homelab.io': ['20.30.40.50'] };

/**
 * Asks the doctor.
 * @param changes what differs from a machine and a network without a fault
 * @param only names of groups. @default all
 */
export function examine(root: string, changes: Partial<DoctorRequest> = {}, only?: readonly string[]): Promise<readonly Diagnosis[]> {
  const request: DoctorRequest = {
    root,
    now: NOW,
    run: machine,
    resolve: async (host) => NAMES[host] ?? [],
    options: { probe: false, routerAddress: '20.30.40.50' },
    descriptions: [description],
    clusters: ['homelab'],
    ...changes,
  };
  return diagnose(
    request,
    groups.filter(({ name }) => only?.includes(name) ?? true),
  );
}

/** `group/check: sentence` of what needs somebody. */
export function complaints(found: readonly Diagnosis[]): string[] {
  return found
    .filter(({ outcome }) => outcome === 'failed' || outcome === 'warning')
    .map(({ group, check, text }) => `${group}/${check}: ${text}`);
}

/** What to do about it, in the same order. */
export function fixes(found: readonly Diagnosis[]): (string | undefined)[] {
  return found.filter(({ outcome }) => outcome === 'failed' || outcome === 'warning').map(({ fix }) => fix);
}

export function textOf(root: string, file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}
