/**
 * A small node: for each pod that runs the game on it, one real process with the pod's environment, files, probes and end. What a kubelet does, as far as a game
 * server notices it: probes become readiness, a deletion becomes preStop, SIGTERM and, after the grace period, SIGKILL.
 * It deliberately runs nothing but the example's server (no image is pulled), isolates nothing, and keeps no other promise of a node.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { PlainObject } from '../../../lib/emit/manifest.ts';
import { LABELS } from '../../../lib/platform.ts';
import type { Client } from '../../../test/cluster/client.ts';
import { LiveList } from '../../../test/cluster/live-list.ts';

export interface NodeRunnerOptions {
  readonly client: Client;
  /** Name of the Node object, which is there already. */
  readonly node: string;
  /** The node's own address: host ports are bound there. */
  readonly address: string;
  /** A loopback address for the n-th pod (from 1 on): in place of a network namespace. The pod's own address is another one, which only tokens know. */
  podAddress(index: number): string;
  /** What every game container runs, whatever its image says. */
  readonly program: string;
  /** Volumes and logs. */
  readonly folder: string;
  /** What stands behind a host name of the cluster, `host:port` to `host:port`: in place of DNS and Services. */
  readonly services: Readonly<Record<string, string>>;
  /** Variables of a pod's sidecar, for pods that have one; called before the container starts. */
  sidecar?(pod: PlainObject): Promise<Readonly<Record<string, string>>>;
  /** Hears of what happens, for people. */
  tell?(what: string): void;
}

/** What the kubelet says of a container. */
interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

/** How a container ended. */
export interface Ended {
  readonly pod: string;
  readonly uid: string;
  /** Null: killed. */
  readonly code: number | null;
  readonly killed: boolean;
  /** Milliseconds from the deletion to the end; undefined when nobody deleted it. */
  readonly tookMs: number | undefined;
}

/** The API's defaults. */
const PERIOD = 10;
const TIMEOUT = 1;
const FAILURES = 3;
/** A node that is silent for 40 s is given up. */
const HEARTBEAT_MS = 10_000;
const RESTART_MS = 1_000;

export class NodeRunner {
  /** Containers that have ended, the first first. */
  readonly ended: Ended[] = [];
  readonly #options: NodeRunnerOptions;
  readonly #pods = new Map<string, RunningPod>();
  readonly #heartbeat: NodeJS.Timeout;
  #list: LiveList | undefined;
  #count = 0;

  private constructor(options: NodeRunnerOptions) {
    this.#options = options;
    this.#heartbeat = setInterval(() => void this.#beat().catch(() => undefined), HEARTBEAT_MS);
  }

  /** Makes the node ready and runs its pods from now on. */
  static async start(options: NodeRunnerOptions): Promise<NodeRunner> {
    const runner = new NodeRunner(options);
    await runner.#beat();
    const selector = `fieldSelector=spec.nodeName%3D${options.node}`;
    runner.#list = await LiveList.of(options.client, `/api/v1/pods?${selector}`, (pod) => runner.#see(pod));
    return runner;
  }

  /** Ends all processes at once. */
  async stop(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#list?.stop();
    await Promise.all([...this.#pods.values()].map((pod) => pod.kill()));
  }

  /** Stops a pod's process without ending it, as a server that hangs. */
  freeze(uid: string): void {
    this.#pods.get(uid)?.freeze();
  }

  /** The lines that the container of a pod has written. */
  log(uid: string): readonly string[] {
    return this.#pods.get(uid)?.lines ?? [];
  }

  async #beat(): Promise<void> {
    const { client, node, address } = this.#options;
    const now = new Date().toISOString();
    const condition = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now };
    const status = { conditions: [condition], addresses: [{ type: 'InternalIP', address }] };
    await client.request('PATCH', `/api/v1/nodes/${node}/status`, { status }, 'application/strategic-merge-patch+json');
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: node, namespace: 'kube-node-lease' },
      spec: { holderIdentity: node, leaseDurationSeconds: 40, renewTime: now.replace('Z', '000Z') },
    };
    const to = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${node}?fieldManager=node-runner&force=true`;
    await client.request('PATCH', to, lease, 'application/apply-patch+yaml');
  }

  #see(pod: PlainObject): void {
    if (pod.metadata.labels?.[LABELS.gameServer] !== 'true') return;
    const { uid, deletionTimestamp } = pod.metadata as unknown as { uid: string; deletionTimestamp?: string };
    let running = this.#pods.get(uid);
    if (running === undefined) {
      if (deletionTimestamp !== undefined) return void this.#remove(pod);
      this.#count += 1;
      running = new RunningPod(this.#options, pod, this.#count, (end) => this.ended.push(end));
      this.#pods.set(uid, running);
      running.run().catch((error: Error) => this.#options.tell?.(`${pod.metadata.name}: ${error.message}`));
    }
    if (deletionTimestamp !== undefined) void running.delete(pod);
  }

  /** A pod that was deleted before it was seen. */
  async #remove({ metadata }: PlainObject): Promise<void> {
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
    await this.#options.client
      .request('DELETE', `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`, options)
      .catch(() => undefined);
  }
}

class RunningPod {
  readonly lines: string[] = [];
  readonly #options: NodeRunnerOptions;
  readonly #pod: PlainObject;
  readonly #uid: string;
  // biome-ignore lint/suspicious/noExplicitAny: a container of an emitted pod.
  readonly #container: any;
  /** Where the process binds. */
  readonly #bind: string;
  readonly #ip: string;
  readonly #ended: (end: Ended) => void;
  readonly #forwards: Forward[] = [];
  readonly #startedAt = new Date().toISOString();
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  #restarts = 0;
  #ready = false;
  #deletedAt: number | undefined;
  #over = false;

  constructor(options: NodeRunnerOptions, pod: PlainObject, index: number, ended: (end: Ended) => void) {
    this.#options = options;
    this.#pod = pod;
    this.#uid = (pod.metadata as unknown as { uid: string }).uid;
    this.#container = pod.spec.containers.find(({ name }: { name: string }) => name === 'game');
    this.#bind = options.podAddress(index);
    this.#ip = `10.244.0.${index}`;
    this.#ended = ended;
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.#pod.metadata.namespace}/pods/${this.#pod.metadata.name}`;
  }

  async run(): Promise<void> {
    const environment = { ...(await this.#environment()), ...(await this.#options.sidecar?.(this.#pod)) };
    for (const { hostPort, containerPort, protocol } of this.#container.ports ?? []) {
      if (hostPort !== undefined && protocol === 'UDP')
        this.#forwards.push(
          await Forward.open({ address: this.#options.address, port: hostPort }, { address: this.#bind, port: containerPort }),
        );
    }
    while (!this.#over && this.#deletedAt === undefined) {
      await this.#runOnce(environment);
      if (this.#deletedAt !== undefined || this.#over || this.#pod.spec.restartPolicy === 'Never') break;
      this.#restarts += 1;
      await pause(RESTART_MS);
    }
    if (this.#deletedAt === undefined && !this.#over) await this.#report('Failed');
  }

  /** One life of the container, with its probes. */
  async #runOnce(environment: NodeJS.ProcessEnv): Promise<void> {
    const { name } = this.#pod.metadata;
    const child = spawn(this.#options.program, [], { env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    const log = createWriteStream(path.join(this.#options.folder, `${name}.log`), { flags: 'a' });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line);
      log.write(`${line}\n`);
    });
    child.stderr.pipe(log, { end: false });
    let running = true;
    let killed = false;
    this.#exited = new Promise((resolve) => {
      child.once('error', () => resolve(null));
      child.once('exit', (code, signal) => {
        killed = signal !== null;
        resolve(code);
      });
    });
    const over = this.#exited.then((code) => {
      running = false;
      log.end();
      const tookMs = this.#deletedAt === undefined ? undefined : Date.now() - this.#deletedAt;
      this.#ended({ pod: name, uid: this.#uid, code, killed, tookMs });
      this.#options.tell?.(`${name} ended with ${killed ? 'a signal' : code}`);
    });
    this.#options.tell?.(`${name} runs`);
    await this.#report('Running');
    const { startupProbe, readinessProbe, livenessProbe } = this.#container as Record<string, Probe | undefined>;
    const isRunning = (): boolean => running;
    // One after the other, as the kubelet: the others begin when the start has succeeded.
    if (startupProbe && !(await this.#succeeds(startupProbe, isRunning))) {
      child.kill('SIGKILL');
    } else {
      if (readinessProbe) void this.#watchReadiness(readinessProbe, isRunning);
      else await this.#setReady(true);
      // Agones points this probe at its sidecar, which is no process here.
      if (livenessProbe && this.#portOf(livenessProbe) !== undefined) void this.#watchLife(livenessProbe, isRunning, child);
    }
    await over;
    await this.#setReady(false);
  }

  async #succeeds(probe: Probe, running: () => boolean): Promise<boolean> {
    for (let failures = 0; running() && failures < (probe.failureThreshold ?? FAILURES); failures++) {
      if (await this.#probe(probe)) return true;
      // Sooner than the kubelet asks: nothing here depends on how seldom it does.
      await pause(Math.min(probe.periodSeconds ?? PERIOD, 1) * 250);
    }
    return false;
  }

  async #watchReadiness(probe: Probe, running: () => boolean): Promise<void> {
    for (let failures = 0; running(); await pause(Math.min(probe.periodSeconds ?? PERIOD, 1) * 1000)) {
      const good = await this.#probe(probe);
      if (!running()) return;
      failures = good ? 0 : failures + 1;
      if (good || failures >= (probe.failureThreshold ?? FAILURES)) await this.#setReady(good);
    }
  }

  async #watchLife(probe: Probe, running: () => boolean, child: ChildProcess): Promise<void> {
    for (let failures = 0; running(); await pause((probe.periodSeconds ?? PERIOD) * 1000)) {
      failures = (await this.#probe(probe)) ? 0 : failures + 1;
      if (running() && failures >= (probe.failureThreshold ?? FAILURES)) child.kill('SIGTERM');
    }
  }

  /** Undefined for a port that the container does not have. */
  #portOf({ httpGet }: Probe): number | undefined {
    const { ports = [] } = this.#container as { ports?: { name?: string; containerPort: number }[] };
    return ports.find(({ name, containerPort }) => name === httpGet?.port || containerPort === httpGet?.port)?.containerPort;
  }

  #probe(probe: Probe): Promise<boolean> {
    return this.#get(this.#portOf(probe) ?? 0, probe.httpGet?.path ?? '/', (probe.timeoutSeconds ?? TIMEOUT) * 1000);
  }

  #get(port: number, route: string, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const asked = request({ host: this.#bind, port, path: route, timeout: timeoutMs }, (response) => {
        response.resume();
        response.on('end', () => resolve((response.statusCode ?? 500) < 400));
      });
      asked.on('timeout', () => asked.destroy());
      asked.on('error', () => resolve(false));
      asked.end();
    });
  }

  /** Ends it as a kubelet does. Called again for each later version of the deleted pod, which changes nothing. */
  async delete(pod: PlainObject): Promise<void> {
    if (this.#deletedAt !== undefined) return;
    this.#deletedAt = Date.now();
    const { deletionGracePeriodSeconds = 30 } = pod.metadata as unknown as { deletionGracePeriodSeconds?: number };
    const killAt = this.#deletedAt + deletionGracePeriodSeconds * 1000;
    const left = (): number => Math.max(0, killAt - Date.now());
    const kill = setTimeout(() => this.#child?.kill('SIGKILL'), left());
    const preStop: Probe | undefined = this.#container.lifecycle?.preStop;
    if (preStop?.httpGet && this.#child) {
      await Promise.race([this.#get(this.#portOf(preStop) ?? 0, preStop.httpGet.path, left()), this.#exited]);
    }
    this.#child?.kill('SIGTERM');
    await this.#exited;
    clearTimeout(kill);
    await this.#finish();
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: this.#uid } };
    await this.#options.client.request('DELETE', this.#path, options).catch(() => undefined);
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** Ends the process at once; the pod stays. */
  async kill(): Promise<void> {
    this.#over = true;
    this.#child?.kill('SIGKILL');
    await this.#exited;
    await this.#finish();
  }

  async #finish(): Promise<void> {
    this.#over = true;
    for (const forward of this.#forwards.splice(0)) forward.close();
  }

  async #setReady(ready: boolean): Promise<void> {
    if (this.#ready === ready) return;
    this.#ready = ready;
    if (ready) this.#options.tell?.(`${this.#pod.metadata.name} is ready`);
    await this.#report('Running');
  }

  async #report(phase: 'Running' | 'Failed'): Promise<void> {
    const now = new Date().toISOString();
    const condition = (type: string, holds: boolean) => ({ type, status: holds ? 'True' : 'False', lastTransitionTime: now });
    const status = {
      phase,
      podIP: this.#ip,
      podIPs: [{ ip: this.#ip }],
      startTime: this.#startedAt,
      conditions: [
        condition('PodScheduled', true),
        condition('Initialized', true),
        condition('ContainersReady', this.#ready),
        condition('Ready', this.#ready),
      ],
      containerStatuses: [
        {
          name: 'game',
          image: this.#container.image,
          imageID: '',
          ready: this.#ready,
          started: true,
          restartCount: this.#restarts,
          state: phase === 'Running' ? { running: { startedAt: this.#startedAt } } : { terminated: { exitCode: 1 } },
        },
      ],
    };
    // A pod that is gone needs no status.
    await this.#options.client.request('PATCH', `${this.#path}/status`, { status }, 'application/merge-patch+json').catch(() => undefined);
  }

  /** Everything that the container's `envFrom` and `env` say, with the folders of the mounts in place of their paths, and addresses in place of names. */
  async #environment(): Promise<Record<string, string>> {
    const { client, services } = this.#options;
    const { namespace } = this.#pod.metadata;
    const values: Record<string, string> = {};
    for (const { configMapRef } of this.#container.envFrom ?? []) {
      Object.assign(
        values,
        (await client.get<{ data: Record<string, string> }>(`/api/v1/namespaces/${namespace}/configmaps/${configMapRef.name}`)).data,
      );
    }
    for (const { name, value, valueFrom } of this.#container.env ?? []) {
      values[name] = value ?? this.#field(valueFrom.fieldRef.fieldPath);
    }
    const folders = await this.#mounts();
    const translated = Object.entries(values).map(([name, value]) => {
      const mount = folders.find(([mountPath]) => value === mountPath || value.startsWith(`${mountPath}/`));
      let text = mount ? mount[1] + value.slice(mount[0].length) : value;
      for (const [host, address] of Object.entries(services)) text = text.replace(host, address);
      return [name, text] as const;
    });
    return { ...Object.fromEntries(translated), BIND_ADDRESS: this.#bind };
  }

  #field(fieldPath: string): string {
    const { metadata } = this.#pod;
    const label = /^metadata\.labels\['(.+)'\]$/.exec(fieldPath)?.[1];
    if (label !== undefined) return metadata.labels?.[label] ?? '';
    const known: Record<string, string | undefined> = {
      'metadata.name': metadata.name,
      'metadata.namespace': metadata.namespace,
      'metadata.uid': this.#uid,
      'status.podIP': this.#ip,
      'spec.nodeName': this.#options.node,
    };
    const value = known[fieldPath];
    if (value === undefined) throw new Error(`The node runner does not know the field ${fieldPath} of a pod.`);
    return value;
  }

  /** Makes the pod's volumes as folders. @returns mount path to folder */
  async #mounts(): Promise<[string, string][]> {
    const { client, folder } = this.#options;
    const { namespace } = this.#pod.metadata;
    const own = path.join(folder, this.#uid);
    const mounts: [string, string][] = [];
    for (const { name, mountPath } of this.#container.volumeMounts ?? []) {
      const volume = this.#pod.spec.volumes.find((each: { name: string }) => each.name === name);
      if (volume === undefined) throw new Error(`The pod ${this.#pod.metadata.name} has no volume '${name}'.`);
      // A claim outlives its pods.
      const place = volume.persistentVolumeClaim
        ? path.join(folder, 'claims', `${namespace}-${volume.persistentVolumeClaim.claimName}`)
        : path.join(own, name);
      mkdirSync(place, { recursive: true, mode: 0o700 });
      const write = (file: string, content: string | Uint8Array): void => writeFileSync(path.join(place, file), content, { mode: 0o600 });
      if (volume.secret) {
        const { data } = await client.get<{ data: Record<string, string> }>(
          `/api/v1/namespaces/${namespace}/secrets/${volume.secret.secretName}`,
        );
        for (const { key, path: file } of volume.secret.items) write(file, Buffer.from(data[key] ?? '', 'base64'));
      }
      for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
        if (serviceAccountToken) write(serviceAccountToken.path, await this.#token(serviceAccountToken.audience));
      }
      mounts.push([mountPath, place]);
    }
    return mounts;
  }

  /** As the kubelet asks for it: bound to the pod, and worth nothing when the pod is gone. */
  async #token(audience: string): Promise<string> {
    const { namespace, name } = this.#pod.metadata;
    const { body } = await this.#options.client.request<{ status: { token: string } }>(
      'POST',
      `/api/v1/namespaces/${namespace}/serviceaccounts/${this.#pod.spec.serviceAccountName}/token`,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: [audience], boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid: this.#uid } },
      },
    );
    return body.status.token;
  }
}

interface Place {
  readonly address: string;
  readonly port: number;
}

/** A host port: datagrams to the node's address go to the pod, and its answers back to whoever sent them. */
class Forward {
  readonly #outside: Socket;
  /** A socket towards the pod for each player, so that the answers find back. */
  readonly #players = new Map<string, Socket>();

  private constructor(outside: Socket, inside: Place) {
    this.#outside = outside;
    outside.on('message', (datagram, { address, port }) => {
      const key = `${address}:${port}`;
      let player = this.#players.get(key);
      if (player === undefined) {
        player = createSocket('udp4');
        player.on('message', (answer) => outside.send(answer, port, address));
        player.on('error', () => undefined);
        this.#players.set(key, player);
      }
      player.send(datagram, inside.port, inside.address);
    });
    outside.on('error', () => undefined);
  }

  static open(outside: Place, inside: Place): Promise<Forward> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({ type: 'udp4', reuseAddr: true });
      socket.once('error', reject);
      socket.bind(outside.port, outside.address, () => {
        socket.removeListener('error', reject);
        resolve(new Forward(socket, inside));
      });
    });
  }

  close(): void {
    this.#outside.close();
    for (const player of this.#players.values()) player.close();
  }
}

/** The last lines of a container's log, for an error message. */
export function tailOf(folder: string, pod: string): string {
  try {
    return readFileSync(path.join(folder, `${pod}.log`), 'utf8')
      .split('\n')
      .slice(-15)
      .join('\n');
  } catch {
    return '(nothing)';
  }
}
