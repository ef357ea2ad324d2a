/**
 * A real Argo CD on loopback: its application controller and repository server, Redis, and a Git repository in a folder.
 * It deliberately leaves out its API server and user interface, and runs with an administrator's rights: what it applies is judged here, not who it is.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import type { PlainObject } from '../../lib/emit/manifest';
import { unlessRequired } from './binaries';
import { Client } from './client';
import { type ControlPlaneAddress, kubeconfigText } from './control-plane';
import { LiveList } from './live-list';
import { freePorts, Processes } from './processes';

export const ARGOCD = 'argocd';
const REFRESH = 'argocd.argoproj.io/refresh';
const APPLICATIONS = `/apis/argoproj.io/v1alpha1/namespaces/${ARGOCD}/applications`;

/**
 * What is missing on this machine to run Argo CD and the commands for it, or undefined.
 * @param kubectl the program, if one is known @throws Error when it is required (`unlessRequired`)
 */
export function missingForArgoCd(kubectl: string | undefined): string | undefined {
  return unlessRequired('argo-cd', findMissing(kubectl));
}

function findMissing(kubectl: string | undefined): string | undefined {
  if (!process.env.ARGOCD_BINARY) return 'ARGOCD_BINARY names no binary of Argo CD (test/cluster/build-argo-cd.sh builds it)';
  const needed = [
    ['redis-server', '--version'],
    ['git', '--version'],
    ...(kubectl === undefined ? [['kubectl', 'version', '--client']] : []),
  ];
  for (const [program = '', ...args] of needed) {
    try {
      execFileSync(program, args, { stdio: 'ignore' });
    } catch {
      return `${program} is not installed`;
    }
  }
  return undefined;
}

export class ArgoCd {
  private readonly processes = new Processes('argo-cd');
  readonly client: Client;
  private readonly repository: string;
  private list: LiveList | undefined;
  private readonly seen = new Set<string>();

  constructor(private readonly plane: ControlPlaneAddress) {
    this.client = new Client(plane);
    this.repository = join(this.processes.folder, 'repository');
    mkdirSync(this.repository);
    this.git('init', '--quiet', '--initial-branch=main');
  }

  /**
   * Starts the servers. Namespace and definitions must be there.
   * @param application Argo CD's own Application: its chart's values configure these servers too
   */
  async start(application: PlainObject): Promise<void> {
    const { params, cm } = application.spec.source.helm.valuesObject.configs;
    await this.configure(cm);
    const [redis = 0, repo = 0, repoMetrics = 0, metrics = 0] = await freePorts(4);
    const { folder } = this.processes;
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, kubeconfigText(this.plane), { mode: 0o600 });
    const command = process.env.ARGOCD_BINARY ?? '';
    const env = {
      KUBECONFIG: kubeconfig,
      // `https://kubernetes.default.svc` is then whatever the kubeconfig names.
      ARGOCD_FAKE_IN_CLUSTER: 'true',
      ARGOCD_GPG_ENABLED: 'false',
      ARGOCD_ASK_PASS_SOCK: join(folder, 'ask-pass.sock'),
      ARGOCD_TLS_DATA_PATH: join(folder, 'tls'),
      ARGOCD_SSH_DATA_PATH: join(folder, 'ssh'),
      // Two CPU cores serve the whole run; the default is one rendering per CPU and 20 comparisons at once.
      ARGOCD_REPO_SERVER_PARALLELISM_LIMIT: '4',
      // Its waits, made short. They are patience with other controllers; what is judged here may not depend on it.
      ARGOCD_SYNC_WAVE_DELAY: '0',
      ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_TIMEOUT_SECONDS: '1',
      ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_CAP_SECONDS: '1',
      // Nothing reads events here, and every one is a write.
      ARGOCD_ENABLE_K8S_EVENT: 'none',
    };
    this.processes.start({
      name: 'redis',
      command: 'redis-server',
      args: ['--bind', '127.0.0.1', '--port', String(redis), '--save', '', '--appendonly', 'no'],
    });
    await this.processes.until('redis', () => listens(redis));
    this.processes.start({
      name: 'repo-server',
      command,
      args: [
        '--address=127.0.0.1',
        `--port=${repo}`,
        '--metrics-address=127.0.0.1',
        `--metrics-port=${repoMetrics}`,
        `--redis=127.0.0.1:${redis}`,
        '--disable-tls',
        '--logformat=text',
      ],
      env: { ...env, ARGOCD_BINARY_NAME: 'argocd-repo-server' },
    });
    await this.processes.until('repo-server', () => listens(repo));
    this.processes.start({
      name: 'application-controller',
      command,
      args: [
        `--namespace=${ARGOCD}`,
        `--repo-server=127.0.0.1:${repo}`,
        '--repo-server-plaintext',
        `--redis=127.0.0.1:${redis}`,
        `--metrics-port=${metrics}`,
        // Nothing polls Git here: the tests say when there is something new.
        '--app-resync=3600',
        `--server-side-diff-enabled=${params['controller.diff.server.side']}`,
        '--logformat=text',
      ],
      env: { ...env, ARGOCD_BINARY_NAME: 'argocd-application-controller' },
    });
    await this.processes.until('application-controller', () => listens(metrics));
  }

  async stop(): Promise<void> {
    this.list?.stop();
    this.client.close();
    await this.processes.stop();
  }

  /**
   * Runs a command as the synth printed it for a person: in a shell, in a checkout of what Argo CD syncs.
   * @param kubectl the program; undefined for the one of the machine
   * @throws when it fails, with what it said
   */
  async runAsPrinted(command: string, kubectl: string | undefined): Promise<void> {
    const path = `${kubectl === undefined ? '' : `${dirname(kubectl)}${delimiter}`}${process.env.PATH}`;
    await promisify(execFile)('bash', ['-c', command], {
      cwd: this.repository,
      env: { ...process.env, PATH: path, KUBECONFIG: join(this.processes.folder, 'kubeconfig') },
    });
  }

  /** Process groups of the servers. */
  get pids(): readonly number[] {
    return this.processes.pids;
  }

  /** The end of the controller's log, for messages of failures. */
  log(): string {
    return this.processes.tail('application-controller');
  }

  /** Commits these files of dist (text by path below dist) as the whole of dist, with this repository as their source. @returns the commit */
  commit(files: ReadonlyMap<string, string>, message: string): string {
    rmSync(join(this.repository, 'dist'), { recursive: true, force: true });
    for (const [path, text] of files) this.write(join('dist', path), this.inTestRepository(path, text));
    this.git('add', '--all');
    this.git('-c', 'user.name=test', '-c', 'user.email=test@test.invalid', 'commit', '--quiet', '--allow-empty', '--message', message);
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: this.repository, encoding: 'utf8' }).trim();
  }

  /** A file of dist as it is in the test's repository: our sources are here, and upstream's charts are all but empty. */
  inTestRepository(path: string, text: string): string {
    if (!path.includes('/root/')) return text;
    const object = parse(text) as PlainObject;
    const url = `file://${this.repository}`;
    if (object.kind === 'AppProject') object.spec.sourceRepos = [url];
    if (object.kind === 'Application') {
      const { source } = object.spec;
      if (source.chart === undefined) source.repoURL = url;
      else {
        const folder = `charts/${object.metadata.name}`;
        // One object, so that the Application has something to sync.
        const marker = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `chart-${object.metadata.name}`, namespace: object.spec.destination.namespace },
        };
        this.write(join(folder, 'ConfigMap.yaml'), stringify(marker));
        object.spec.source = { repoURL: url, path: folder, targetRevision: 'main', directory: { recurse: true } };
      }
    }
    return stringify(object);
  }

  /** Every Application as it is now; from `follow` on. */
  get applications(): readonly PlainObject[] {
    return this.list?.items ?? [];
  }

  /** @param told gets every version of every Application from now on */
  async follow(told: (application: PlainObject) => void): Promise<void> {
    this.list = await LiveList.of(this.client, APPLICATIONS, (application) => {
      this.noteDifferences(application);
      told(application);
    });
  }

  /** What was OutOfSync at any moment since this was asked last, as `application: Kind name`: an Application heals itself, so that afterwards nothing may show. */
  differences(): string[] {
    const seen = [...this.seen];
    this.seen.clear();
    return seen;
  }

  /**
   * Has Argo CD look at Git and at the cluster again; done when it has. `hard` forgets what it rendered before.
   * The root comes after the others: it compares Applications, and to take the request back Argo CD writes to them.
   * @param withRoot whether the root looks too; a commit that changes no Application does not concern it
   */
  async refresh(kind: 'normal' | 'hard' = 'normal', withRoot = true): Promise<void> {
    await this.refreshNamed(
      this.applications.map((application) => application.metadata.name).filter((name) => name !== 'root'),
      kind,
    );
    if (withRoot) await this.refreshNamed(['root'], kind);
  }

  /** Has these Applications look at Git again. */
  async refreshNamed(names: readonly string[], kind: 'normal' | 'hard' = 'normal'): Promise<void> {
    const asked = new Map(
      await Promise.all(names.map(async (name) => [name, versionOf(await this.annotate(name, { [REFRESH]: kind }))] as const)),
    );
    const isDone = ({ metadata }: PlainObject, since: number): boolean =>
      versionOf({ metadata }) > since && metadata.annotations?.[REFRESH] === undefined;
    const deadline = Date.now() + 60_000;
    for (;;) {
      const found = new Map(this.applications.map((application) => [application.metadata.name, application]));
      const waiting = [...asked].filter(([name, since]) => {
        const application = found.get(name);
        return application !== undefined && !isDone(application, since);
      });
      if (waiting.length === 0) return;
      if (Date.now() > deadline)
        throw new Error(`Argo CD did not refresh ${waiting.map(([name]) => name).join(', ')} in 60 s. The end of its log:\n${this.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** @returns the Application as it is then */
  async annotate(application: string, annotations: Readonly<Record<string, string | null>>): Promise<PlainObject> {
    const patch = { metadata: { annotations } };
    return (await this.client.request('PATCH', `${APPLICATIONS}/${application}`, patch, 'application/merge-patch+json')).body;
  }

  private noteDifferences({ metadata, status }: PlainObject): void {
    for (const each of status?.resources ?? [])
      if (each.status === 'OutOfSync') this.seen.add(`${metadata.name}: ${each.kind} ${each.name}`);
  }

  /** ConfigMaps and Secret, as the chart makes them of its values. */
  private async configure(cm: object): Promise<void> {
    const metadata = (name: string) => ({ name, namespace: ARGOCD, labels: { 'app.kubernetes.io/part-of': ARGOCD } });
    await this.client.discover();
    await this.client.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata('argocd-cm'),
      data: cm,
    });
    await this.client.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('argocd-rbac-cm') });
    // Argo CD fills it; without an API server nobody uses what it puts there.
    await this.client.apply({ apiVersion: 'v1', kind: 'Secret', metadata: metadata('argocd-secret') });
  }

  private write(path: string, text: string): void {
    const file = join(this.repository, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  private git(...args: readonly string[]): void {
    execFileSync('git', args, { cwd: this.repository, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}

/** Versions of one server's objects count up. */
function versionOf({ metadata }: Pick<PlainObject, 'metadata'>): number {
  return Number((metadata as { resourceVersion?: string }).resourceVersion);
}

function listens(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}
