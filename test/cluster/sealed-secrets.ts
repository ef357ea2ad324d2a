/**
 * A real Sealed Secrets controller on loopback and the real kubeseal, as processes, with what a cluster has before them: namespaces, the definition, the key.
 * It deliberately asserts nothing, and gives the controller the key by the very commands that docs/how-to/secrets.md names.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import type { PlainObject } from '../../lib/emit/manifest';
import { type Binaries, findBinaries, unlessRequired } from './binaries';
import { ApiError, Client } from './client';
import { type ControlPlane, kubeconfigText, startControlPlane } from './control-plane';
import { withDefinitions } from './definitions';
import { eventually } from './judge';
import { freePorts, Processes } from './processes';

/** Namespace of the controller and its keys. */
export const CONTROLLER_NAMESPACE = 'sealed-secrets';
const KEY_LABEL = 'sealedsecrets.bitnami.com/sealed-secrets-key';
const DEFINITION = 'sealedsecrets.bitnami.com';

/** What is missing on this machine, or undefined. @throws Error when it is required (`unlessRequired`) */
export function missingForSealedSecrets(): string | undefined {
  return unlessRequired('sealed-secrets', findMissing());
}

function findMissing(): string | undefined {
  for (const variable of ['KUBESEAL_BINARY', 'SEALED_SECRETS_CONTROLLER'])
    if (!process.env[variable]) return `${variable} names no binary of Sealed Secrets (test/cluster/build-sealed-secrets.sh builds both)`;
  try {
    execFileSync(kubectlOf(findBinaries()[0]), ['version', '--client'], { stdio: 'ignore' });
  } catch {
    return 'kubectl is not installed';
  }
  return undefined;
}

function kubectlOf(binaries: Binaries | undefined): string {
  return binaries?.kubectl ?? 'kubectl';
}

/** Runs kubeseal. @param input for its standard input @returns its standard output */
export function kubeseal(args: readonly string[], input = ''): string {
  return execFileSync(process.env.KUBESEAL_BINARY ?? 'kubeseal', args, {
    input,
    encoding: 'utf8',
    // It must find no cluster: what it does here is offline.
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', KUBECONFIG: '/nonexistent' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/**
 * What kubeseal opens of a SealedSecret with nothing but a private key: plaintexts by `<namespace>/<name>/<key>`, in base64.
 * @param sealed the object in YAML @throws when a value does not open
 */
export function recovered(sealed: string, keyFile: string): Record<string, string> {
  const { metadata, data } = parse(
    kubeseal(['--recovery-unseal', '--recovery-private-key', keyFile, '--format', 'yaml'], sealed),
  ) as Secret;
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [`${metadata.namespace}/${metadata.name}/${key}`, value]));
}

type Secret = PlainObject & { readonly data?: Readonly<Record<string, string>> };

/** What the controller says of SealedSecrets that it did not open, as `<namespace>/<name>: <condition>`: nothing when all are synced. */
export function notSynced(answers: readonly PlainObject[]): string[] {
  return answers.flatMap(({ metadata, status }) => {
    const conditions: readonly { type: string; status: string; message?: string }[] = status?.conditions ?? [];
    const synced = conditions.find(({ type }) => type === 'Synced');
    return synced?.status === 'True'
      ? []
      : [`${metadata.namespace}/${metadata.name}: ${synced === undefined ? 'no status' : `${synced.status}, ${synced.message}`}`];
  });
}

/** A cluster that has nothing but an API server, and then a controller. */
export class SealedSecretsCluster {
  /** The controller's process, while it runs. */
  private controller: Processes | undefined;

  private constructor(
    private readonly plane: ControlPlane,
    private readonly processes: Processes,
    private readonly binaries: Binaries,
    readonly client: Client,
  ) {}

  /** Starts an empty API server that knows SealedSecrets. */
  static async start(): Promise<SealedSecretsCluster> {
    const [binaries] = findBinaries();
    if (binaries === undefined) throw new Error('There are no binaries.');
    // Secrets need no controllers, and without them it starts in a second.
    const plane = await startControlPlane({ binaries: { ...binaries, controllers: false } });
    const cluster = new SealedSecretsCluster(plane, new Processes('sealed-secrets'), binaries, new Client(plane.address));
    try {
      writeFileSync(cluster.kubeconfig, kubeconfigText(plane.address), { mode: 0o600 });
      await cluster.define();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Process groups of the controller and of the control plane. */
  get pids(): readonly number[] {
    return [...(this.controller?.pids ?? []), ...this.plane.pids];
  }

  private get kubeconfig(): string {
    return join(this.processes.folder, 'kubeconfig');
  }

  private async define(): Promise<void> {
    await withDefinitions(async (folder) => {
      await this.client.request(
        'PATCH',
        `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${DEFINITION}?fieldManager=test&force=true`,
        readFileSync(join(folder, `${DEFINITION}.yaml`), 'utf8'),
        'application/apply-patch+yaml',
      );
    });
    await eventually(
      async () => {
        await this.client.discover();
        return this.client.serves('bitnami.com/v1alpha1', 'SealedSecret');
      },
      (served) => served,
    );
  }

  async makeNamespaces(names: Iterable<string>): Promise<void> {
    for (const name of new Set(names)) await this.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  /** Brings the sealing key, by the commands that a page names, before the controller starts. @param commands as they stand there */
  async bringKey(commands: readonly string[], cwd: string): Promise<void> {
    const kubectl = kubectlOf(this.binaries);
    const path = kubectl === 'kubectl' ? process.env.PATH : `${dirname(kubectl)}${delimiter}${process.env.PATH}`;
    for (const command of commands)
      await promisify(execFile)('bash', ['-c', command], { cwd, env: { ...process.env, PATH: path, KUBECONFIG: this.kubeconfig } });
  }

  /** Starts the controller as the chart's values do (keys are never renewed), or starts it again. */
  async startController(): Promise<void> {
    await this.controller?.stop();
    this.controller = new Processes('sealed-secrets-controller');
    const [http = 0, metrics = 0] = await freePorts(2);
    this.controller.start({
      name: 'controller',
      command: process.env.SEALED_SECRETS_CONTROLLER ?? '',
      args: ['--key-renew-period=0', `--listen-addr=127.0.0.1:${http}`, `--listen-metrics-addr=127.0.0.1:${metrics}`],
      env: { KUBECONFIG: this.kubeconfig, POD_NAMESPACE: CONTROLLER_NAMESPACE },
    });
    await this.controller.until('controller', async () => {
      const response = await fetch(`http://127.0.0.1:${http}/healthz`);
      if (!response.ok) throw new Error(`it answers ${response.status}`);
    });
  }

  /** Applies SealedSecrets and waits until the controller has said of each what it did. @returns the objects with their status */
  async applySealed(objects: readonly PlainObject[]): Promise<PlainObject[]> {
    for (const object of objects) await this.client.apply(object);
    return Promise.all(
      objects.map((object) =>
        eventually(
          () => this.client.get(this.client.pathOf(object)),
          ({ metadata, status }) =>
            status?.conditions !== undefined && status.observedGeneration === (metadata as { generation?: number }).generation,
        ),
      ),
    );
  }

  /** Plaintexts of Secrets by `<namespace>/<name>/<key>`, in base64; nothing for a Secret that is not there. */
  async plaintexts(objects: readonly PlainObject[]): Promise<Record<string, string>> {
    const found: [string, string][] = [];
    for (const { metadata } of objects) {
      const secret = await this.secret(metadata.namespace ?? '', metadata.name);
      for (const [key, value] of Object.entries(secret?.data ?? {})) found.push([`${metadata.namespace}/${metadata.name}/${key}`, value]);
    }
    return Object.fromEntries(found);
  }

  async secret(namespace: string, name: string): Promise<Secret | undefined> {
    try {
      return await this.client.get(`/api/v1/namespaces/${namespace}/secrets/${name}`);
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'NotFound') return undefined;
      throw error;
    }
  }

  /** Names of the Secrets that the controller takes for sealing keys. */
  async keys(): Promise<string[]> {
    const secrets = await this.client.list(`/api/v1/namespaces/${CONTROLLER_NAMESPACE}/secrets?labelSelector=${KEY_LABEL}%3Dactive`);
    return secrets.map(({ metadata }) => metadata.name);
  }

  /** Loses everything: the controller, the API server and all data. */
  async stop(): Promise<void> {
    this.client.close();
    await this.controller?.stop();
    await this.processes.stop();
    await this.plane.stop();
  }
}

/** The kubectl commands below a heading of a page that concern the controller's namespace. @throws when there is none */
export function printedCommands(page: string, heading: string): string[] {
  const [, section = ''] = readFileSync(page, 'utf8').split(`\n## ${heading}\n`);
  const commands = (section.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    kubectl ') && line.includes(CONTROLLER_NAMESPACE))
    .map((line) => line.trim());
  if (commands.length === 0) throw new Error(`${page} has no commands for ${CONTROLLER_NAMESPACE} below '${heading}'.`);
  return commands;
}
