/**
 * A real Argo CD on loopback: its application controller and repository server, Redis, and a Git repository in a folder.
 * It deliberately leaves out its API server and user interface, and runs with an administrator's rights: what it applies is judged here, not who it is.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { PlainObject } from '../../lib/emit/manifest';
import { Client } from './client';
import { type ControlPlaneAddress, kubeconfigText } from './control-plane';
import { freePorts, Processes } from './processes';

export const ARGOCD = 'argocd';
const REFRESH = 'argocd.argoproj.io/refresh';
const APPLICATIONS = `/apis/argoproj.io/v1alpha1/namespaces/${ARGOCD}/applications`;

/** What is missing on this machine to run Argo CD, or undefined. */
export function missingForArgoCd(): string | undefined {
  if (!process.env.ARGOCD_BINARY) return 'ARGOCD_BINARY names no binary of Argo CD (test/cluster/build-argo-cd.sh builds it)';
  for (const program of ['redis-server', 'git']) {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
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
      // A controller that starts anew and waits a second between attempts would be the slowest part of the tests.
      ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_TIMEOUT_SECONDS: '1',
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
    this.client.close();
    await this.processes.stop();
  }

  /** Runs a command that the synth printed for a person, word by word. @param kubectl the program */
  runAsPrinted(command: string, kubectl: string): void {
    const [program, ...args] = command.split(' ');
    if (program !== 'kubectl') throw new Error(`The synth prints a command that is not kubectl's: ${command}`);
    execFileSync(kubectl, args, {
      env: { ...process.env, KUBECONFIG: join(this.processes.folder, 'kubeconfig') },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
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
    this.git('-c', 'user.name=test', '-c', 'user.email=test@test.invalid', 'commit', '--quiet', '--message', message);
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

  applications(): Promise<PlainObject[]> {
    return this.client.list(APPLICATIONS);
  }

  /**
   * Has Argo CD look at Git and at the cluster again; done when it has. `hard` forgets what it rendered before.
   * The root comes after the others: it compares Applications, and to take the request back Argo CD writes to them.
   * @param withRoot whether the root looks too; a commit that changes no Application does not concern it
   * @returns what was OutOfSync at any moment of it: an Application heals itself, so that afterwards nothing may show
   */
  async refresh(kind: 'normal' | 'hard' = 'normal', withRoot = true): Promise<string[]> {
    const names = (await this.applications()).map((application) => application.metadata.name);
    const others = await this.refreshNamed(
      names.filter((name) => name !== 'root'),
      kind,
    );
    return withRoot ? [...others, ...(await this.refreshNamed(['root'], kind))] : others;
  }

  /** Has the root alone look at Git again. */
  async refreshRoot(): Promise<void> {
    await this.refreshNamed(['root'], 'normal');
  }

  private async refreshNamed(names: readonly string[], kind: string): Promise<string[]> {
    await Promise.all(names.map((name) => this.annotate(name, { [REFRESH]: kind })));
    const seen = new Set<string>();
    const deadline = Date.now() + 60_000;
    for (;;) {
      const applications = (await this.applications()).filter(({ metadata }) => names.includes(metadata.name));
      for (const { metadata, status } of applications) {
        for (const each of status?.resources ?? [])
          if (each.status === 'OutOfSync') seen.add(`${metadata.name}: ${each.kind} ${each.name}`);
      }
      if (applications.every((application) => application.metadata.annotations?.[REFRESH] === undefined)) return [...seen];
      if (Date.now() > deadline) throw new Error(`Argo CD did not refresh in 60 s. The end of its log:\n${this.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async annotate(application: string, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    await this.client.request('PATCH', `${APPLICATIONS}/${application}`, { metadata: { annotations } }, 'application/merge-patch+json');
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

function listens(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}
