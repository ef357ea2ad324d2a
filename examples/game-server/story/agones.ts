/**
 * Agones' part of the story: servers for Fleets as their autoscalers say, a pod and an SDK server for each, and allocations through the aggregated API.
 * It deliberately is a stand-in of what the story needs (Buffer policies, one port, the states that a server goes through), written from Agones' public behaviour;
 * no line of Agones runs here.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import path from 'node:path';
import type { PlainObject } from '../../../lib/emit/manifest.ts';
import { configHash } from '../../../lib/game-contract.ts';
import {
  type GameServer,
  type GameServerStore,
  type SdkServer,
  startSdkServer,
} from '../../../services/connect-broker/src/laptop/agones/sdk-server.ts';
import { AGONES_SERVICE_ACCOUNT, gameServerPod } from '../../../test/cluster/agones-pod.ts';
import { ApiError, type Client } from '../../../test/cluster/client.ts';
import type { ControlPlaneAddress } from '../../../test/cluster/control-plane.ts';
import { LiveList } from '../../../test/cluster/live-list.ts';

const GROUP = 'agones.dev';
const ALLOCATION = 'allocation.agones.dev';
const FLEET = 'agones.dev/fleet';
/** Which template a GameServer is of. */
const TEMPLATE = 'story/template';
const LOOK_MS = 250;

export interface AgonesOptions {
  readonly client: Client;
  readonly address: ControlPlaneAddress;
  readonly namespace: string;
  /** Name and address of the one node. */
  readonly node: { readonly name: string; readonly address: string };
  readonly hostPorts: { readonly first: number; readonly last: number };
}

/** Definitions with group and kind and no rules: what Agones' own say about fields is tested with the manifests. */
export const AGONES_DEFINITIONS = [
  definition(GROUP, 'Fleet', 'fleets'),
  definition(GROUP, 'GameServer', 'gameservers'),
  definition('autoscaling.agones.dev', 'FleetAutoscaler', 'fleetautoscalers'),
];

function definition(group: string, kind: string, plural: string): PlainObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

export class Agones {
  readonly #options: AgonesOptions;
  readonly #sidecars = new Map<string, SdkServer>();
  readonly #watchers = new Map<string, Set<(server: GameServer) => void>>();
  #servers: LiveList | undefined;
  #fleets: LiveList | undefined;
  #scalers: LiveList | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #allocations: Server | undefined;
  #stopped = false;

  constructor(options: AgonesOptions) {
    this.#options = options;
  }

  get #base(): string {
    return `/apis/${GROUP}/v1/namespaces/${this.#options.namespace}`;
  }

  /** Begins to keep the Fleets of the namespace. */
  async start(): Promise<void> {
    const { client, namespace } = this.#options;
    // What Agones' chart makes in every namespace of game servers.
    await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: AGONES_SERVICE_ACCOUNT, namespace } });
    await this.#serveAllocations();
    this.#fleets = await LiveList.of(client, `${this.#base}/fleets`);
    this.#scalers = await LiveList.of(client, `/apis/autoscaling.agones.dev/v1/namespaces/${namespace}/fleetautoscalers`);
    this.#servers = await LiveList.of(client, `${this.#base}/gameservers`, (server) => {
      for (const changed of this.#watchers.get(server.metadata.name) ?? []) changed(shown(server));
    });
    const again = (): void => {
      this.#looking = this.#look()
        // Somebody changed an object meanwhile: the next look sees it.
        .catch(() => undefined)
        .finally(() => {
          if (!this.#stopped) this.#timer = setTimeout(again, LOOK_MS);
        });
    };
    again();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
    for (const list of [this.#servers, this.#fleets, this.#scalers]) list?.stop();
    await Promise.all([...this.#sidecars.values()].map((sidecar) => sidecar.close()));
    const allocations = this.#allocations;
    if (allocations === undefined) return;
    // kube-apiserver keeps its connections.
    allocations.closeAllConnections();
    await new Promise((resolve) => allocations.close(resolve));
  }

  /** Variables of a pod's sidecar, which is started here. Pods of worlds have none. */
  async sidecar(pod: PlainObject): Promise<Readonly<Record<string, string>>> {
    const name = pod.metadata.labels?.['agones.dev/gameserver'];
    if (name === undefined) return {};
    const sidecar = await startSdkServer(this.#store(name));
    this.#sidecars.set(name, sidecar);
    return { AGONES_SDK_GRPC_PORT: String(sidecar.port) };
  }

  async #look(): Promise<void> {
    const { client } = this.#options;
    const servers = this.#servers?.items ?? [];
    for (const server of servers) await this.#lead(server);
    for (const fleet of this.#fleets?.items ?? []) {
      const own = servers.filter((server) => server.metadata.labels?.[FLEET] === fleet.metadata.name && server.status.state !== 'Shutdown');
      const template = configHash({ template: JSON.stringify(fleet.spec.template) });
      const old = own.filter((server) => server.metadata.labels?.[TEMPLATE] !== template);
      for (const server of old) {
        // Of an old template: who plays finishes, the rest goes.
        if (server.status.state === 'Allocated') await this.#label(server, fleet.spec.allocationOverflow?.labels ?? {});
        else if (server.status.state === 'Ready') await this.#setState(server, 'Shutdown');
      }
      const present = own.filter((server) => !old.includes(server));
      const allocated = own.filter((server) => server.status.state === 'Allocated').length;
      const buffer = this.#scalers?.items.find((scaler) => scaler.spec.fleetName === fleet.metadata.name)?.spec.policy.buffer;
      const wanted = buffer ? Math.min(buffer.maxReplicas, allocated + buffer.bufferSize) : (fleet.spec.replicas ?? 0);
      if (present.length < wanted) await this.#create(fleet, template);
      const count = (state: string): number => own.filter((server) => server.status.state === state).length;
      const status = { replicas: own.length, readyReplicas: count('Ready'), allocatedReplicas: count('Allocated') };
      if (JSON.stringify(fleet.status) !== JSON.stringify(status))
        await client.request('PATCH', `${this.#base}/fleets/${fleet.metadata.name}`, { status }, 'application/merge-patch+json');
    }
  }

  /** Takes a GameServer one step on. */
  async #lead(server: PlainObject): Promise<void> {
    const { client, namespace } = this.#options;
    if (server.status.state === 'RequestReady') await this.#setState(server, 'Ready');
    if (server.status.state !== 'Shutdown') return;
    const { name } = server.metadata;
    await client.request('DELETE', `${this.#base}/gameservers/${name}`).catch(absent);
    await client.request('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`).catch(absent);
  }

  async #create(fleet: PlainObject, template: string): Promise<void> {
    const { client, namespace, node, hostPorts } = this.#options;
    const name = `${fleet.metadata.name}-${randomBytes(3).toString('hex')}`;
    const taken = new Set((this.#servers?.items ?? []).map(({ status }) => status.ports[0].port));
    let port = hostPorts.first;
    while (taken.has(port)) port += 1;
    if (port > hostPorts.last) return;
    const { metadata, spec } = fleet.spec.template;
    const empty = Object.entries(spec.counters ?? {}).map(([key, value]) => [key, { count: 0, ...(value as object) }]);
    const lists = Object.entries(spec.lists ?? {}).map(([key, value]) => [key, { values: [], ...(value as object) }]);
    const { body } = await client.request('POST', `${this.#base}/gameservers`, {
      apiVersion: `${GROUP}/v1`,
      kind: 'GameServer',
      metadata: { name, namespace, labels: { ...metadata.labels, [FLEET]: fleet.metadata.name, [TEMPLATE]: template } },
      spec,
      status: {
        state: 'Scheduled',
        address: node.address,
        nodeName: node.name,
        ports: [{ name: 'game', port }],
        counters: Object.fromEntries(empty),
        lists: Object.fromEntries(lists),
      },
    });
    const pod = gameServerPod(fleet, port);
    const { uid } = body.metadata as unknown as { uid: string };
    await client.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
      ...pod,
      metadata: {
        ...pod.metadata,
        name,
        labels: { ...pod.metadata.labels, 'agones.dev/gameserver': name },
        ownerReferences: [{ apiVersion: `${GROUP}/v1`, kind: 'GameServer', name, uid, controller: true, blockOwnerDeletion: true }],
      },
      spec: { ...pod.spec, hostname: name },
    });
  }

  async #setState(server: PlainObject, state: string): Promise<void> {
    await this.#change(server.metadata.name, (fresh) => {
      fresh.status.state = state;
    });
  }

  async #label(server: PlainObject, labels: Readonly<Record<string, string>>): Promise<void> {
    if (Object.entries(labels).every(([key, value]) => server.metadata.labels?.[key] === value)) return;
    await this.#change(server.metadata.name, (fresh) => {
      fresh.metadata.labels = { ...fresh.metadata.labels, ...labels };
    });
  }

  /** Reads, changes and writes, again when somebody else was faster. */
  async #change(name: string, change: (server: PlainObject) => void): Promise<PlainObject> {
    const { client } = this.#options;
    for (;;) {
      const server = await client.get(`${this.#base}/gameservers/${name}`);
      change(server);
      try {
        return (await client.request('PUT', `${this.#base}/gameservers/${name}`, server)).body;
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 409)) throw error;
      }
    }
  }

  #store(name: string): GameServerStore {
    const { client } = this.#options;
    return {
      read: async () => shown(await client.get(`${this.#base}/gameservers/${name}`)),
      update: async (change) => {
        await this.#change(name, (server) => {
          const view = shown(server);
          change(view);
          server.metadata.labels = view.labels;
          server.metadata.annotations = view.annotations;
          Object.assign(server.status, { state: view.state, counters: view.counters, lists: view.lists });
        });
      },
      watch: (changed) => {
        const watchers = this.#watchers.get(name) ?? new Set();
        this.#watchers.set(name, watchers.add(changed));
        return () => watchers.delete(changed);
      },
    };
  }

  /** The aggregated API: kube-apiserver authorizes the caller and passes the request on. */
  async #serveAllocations(): Promise<void> {
    const { client, address, namespace } = this.#options;
    const certificate = (file: string): Buffer => readFileSync(path.join(address.folder, 'serving', file));
    const server = createServer({ cert: certificate('apiserver.crt'), key: certificate('apiserver.key') }, (request, response) => {
      this.#answer(request).then(
        ([status, body]) => {
          response.writeHead(status, { 'content-type': 'application/json' });
          response.end(JSON.stringify(body));
        },
        (error: Error) => {
          response.writeHead(500, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 500, message: error.message }));
        },
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#allocations = server;
    const { port } = server.address() as { port: number };
    // A name instead of pods: nothing here routes to the address of a Service.
    await client.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'agones-controller-service', namespace },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    });
    await client.apply({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.${ALLOCATION}` },
      spec: {
        group: ALLOCATION,
        version: 'v1',
        groupPriorityMinimum: 1000,
        versionPriority: 15,
        insecureSkipTLSVerify: true,
        service: { name: 'agones-controller-service', namespace, port },
      },
    });
  }

  async #answer(request: IncomingMessage): Promise<[number, object]> {
    const url = request.url?.split('?')[0] ?? '';
    if (request.method === 'GET') {
      const resources = [
        { name: 'gameserverallocations', singularName: '', namespaced: true, kind: 'GameServerAllocation', verbs: ['create'] },
      ];
      return [200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${ALLOCATION}/v1`, resources }];
    }
    if (request.method !== 'POST' || !url.endsWith('/gameserverallocations'))
      return [404, { kind: 'Status', code: 404, status: 'Failure' }];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const wanted = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return [201, { ...wanted, status: await this.#allocate(wanted.spec) }];
  }

  /** The first selector that finds a server counts. */
  async #allocate(spec: {
    readonly selectors: readonly { readonly gameServerState?: string; readonly matchLabels?: Readonly<Record<string, string>> }[];
    readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  }): Promise<object> {
    const { client } = this.#options;
    for (const { gameServerState = 'Ready', matchLabels = {} } of spec.selectors) {
      const servers = await client.list(`${this.#base}/gameservers`);
      const found = servers.find(
        ({ metadata, status }) =>
          status.state === gameServerState && Object.entries(matchLabels).every(([key, value]) => metadata.labels?.[key] === value),
      );
      if (found === undefined) continue;
      const taken = structuredClone(found);
      taken.metadata.labels = { ...taken.metadata.labels, ...spec.metadata?.labels };
      taken.status.state = 'Allocated';
      try {
        await client.request('PUT', `${this.#base}/gameservers/${found.metadata.name}`, taken);
      } catch (error) {
        if (error instanceof ApiError && error.status === 409) return { state: 'Contention', gameServerName: '' };
        throw error;
      }
      const { ports, address, nodeName } = taken.status;
      return { state: 'Allocated', gameServerName: found.metadata.name, ports, address, nodeName };
    }
    return { state: 'UnAllocated', gameServerName: '' };
  }
}

function absent(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}

function shown(server: PlainObject): GameServer {
  const { name, namespace = '', labels = {}, annotations = {} } = server.metadata;
  const { uid } = server.metadata as unknown as { uid: string };
  const { state, address, ports, counters = {}, lists = {} } = server.status;
  return structuredClone({
    name,
    namespace,
    uid,
    labels: { ...labels },
    annotations: { ...annotations },
    state,
    address,
    ports,
    counters,
    lists,
  }) as GameServer;
}
