/**
 * Flows that the objects themselves show to be needed are declared: routes, monitors, tokens, credentials, addresses in configuration, load balancers, archives.
 * It deliberately demands only what an object says; what a program does on its own (an upstream chart's controller, say) is in the catalogue's flows alone.
 */
import type { BuiltObject } from '../build';
import { type Finding, list, reported } from './finding';
import { type Inventory, inventoryOf, type KnownPods, type KnownService } from './inventory';
import type { KnownPort } from './operator-pods';
import { type End, permittedTraffic } from './permitted-traffic';
import { containersOf } from './pods';
import { label, type Reference, referencesOf } from './references';
import { isHeadless, monitored } from './resolved-references';
import { addressTexts, type ServiceAddress, serviceAddresses, visitTexts } from './service-addresses';
import type { Check, CheckInput } from './types';

export const neededFlows: Check = {
  id: 'needed-flows',
  why: 'What no flow declares is dropped without a word: the page answers 504, the monitor has no data, the pod waits for its database or for the API server until it times out. A removed flow leaves policies that are right in themselves.',
  run: (input) => {
    const world = new World(input);
    return reported(
      neededFlows,
      input,
      [
        ...routes(world),
        ...monitors(world),
        ...tokens(world),
        ...credentials(world),
        ...addresses(world),
        ...chartAddresses(world),
        ...loadBalancers(world),
        ...hostPorts(world),
        ...archives(world),
      ].flatMap((need) => unmet(world, need)),
    );
  },
};

/** Traffic that an object shows to be needed. */
interface Need {
  readonly by: BuiltObject;
  readonly field: string;
  /** Who sends; one of them has to be able to. */
  readonly from: readonly End[];
  readonly to: End;
  /** Ports of the receiver, of which one has to be open. */
  readonly ports: readonly KnownPort[];
  /** What the object does that needs it, as the end of a sentence: `it routes to Service a/b`. */
  readonly because: string;
}

/** Pods whose port a Service leads to. */
interface Endpoint {
  readonly pods: KnownPods;
  readonly ports: readonly KnownPort[];
}

/** What the needs are derived from, each part computed once. */
class World {
  readonly inventory: Inventory;
  private readonly byObject = new Map<BuiltObject, KnownPods[]>();
  private readonly byChart = new Map<string, KnownPods[]>();
  private readonly resolved = new Map<string, readonly Endpoint[]>();

  constructor(readonly input: CheckInput) {
    this.inventory = inventoryOf(input);
    for (const pods of this.inventory.pods) {
      if (pods.object) push(this.byObject, pods.object, pods);
      if (pods.chart) push(this.byChart, pods.chart, pods);
    }
  }

  /** Pods that an object of ours makes, itself or by its operator. */
  podsOf(object: BuiltObject): readonly KnownPods[] {
    return this.byObject.get(object) ?? [];
  }

  podsOfChart(chart: string): readonly KnownPods[] {
    return this.byChart.get(chart) ?? [];
  }

  /** Pods of one workload of a chart; none where the chart is not enabled. */
  workloadOfChart(chart: string, name: string): readonly KnownPods[] {
    return this.podsOfChart(chart).filter(({ owner }) => owner.startsWith(`${name} `));
  }

  /** Pods and their ports behind a Service's port. @param port name or number; undefined for any of them */
  endpoints(namespace: string, name: string, port: number | string | undefined): readonly Endpoint[] {
    const id = `${namespace}/${name} ${port}`;
    const known = this.resolved.get(id) ?? this.resolve(this.inventory.service(namespace, name), port);
    this.resolved.set(id, known);
    return known;
  }

  private resolve(service: KnownService | undefined, port: number | string | undefined): readonly Endpoint[] {
    if (!service) return [];
    if (service.chart !== undefined) return this.upstreamEndpoints(service, port);
    if (service.object?.manifest.kind === 'Service') return this.ownEndpoints(service.object, port);
    const ports = service.ports.filter((each) => port === undefined || each.port === port || each.name === port);
    return (service.object ? this.podsOf(service.object) : [])
      .filter((pods) => pods.ports.some((each) => ports.some((wanted) => wanted.port === each.port)))
      .map((pods) => ({ pods, ports }));
  }

  private ownEndpoints(object: BuiltObject, port: number | string | undefined): readonly Endpoint[] {
    const { metadata, spec } = object.manifest;
    if (!spec?.selector) return [];
    let ports = ((spec.ports ?? []) as ServicePort[]).filter((each) => port === undefined || each.port === port || each.name === port);
    // The pods of a headless Service are dialled directly, on any port.
    if (ports.length === 0 && isHeadless(object) && typeof port === 'number') ports = [{ port }];
    return this.inventory
      .podsIn(metadata.namespace ?? '', { matchLabels: spec.selector })
      .map((pods) => ({ pods, ports: ports.flatMap((each) => targetPorts(each, pods)) }));
  }

  /** Records have no selectors: the pods are those of the Service's name, or those whose labels it carries. */
  private upstreamEndpoints(service: KnownService, port: number | string | undefined): readonly Endpoint[] {
    const wanted = service.ports.filter((each) => port === undefined || each.port === port || each.name === port);
    const siblings = this.podsOfChart(service.chart ?? '').filter(({ namespace }) => namespace === service.namespace);
    const sameName = siblings.filter(({ owner }) => owner.startsWith(`${service.name} `));
    const pods = sameName.length > 0 ? sameName : siblings.filter(({ labels }) => isSubset(labels, service.labels));
    return pods.map((each) => {
      const byName = each.ports.filter(({ name }) => name !== undefined && wanted.some((one) => one.name === name));
      const byNumber = each.ports.filter((one) => wanted.some(({ port: number }) => number === one.port));
      return { pods: each, ports: byName.length > 0 ? byName : byNumber.length > 0 ? byNumber : each.ports };
    });
  }
}

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol?: string;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const siblings = map.get(key);
  if (siblings) siblings.push(value);
  else map.set(key, [value]);
}

function isSubset(labels: KnownPods['labels'], of: KnownPods['labels']): boolean {
  return Object.keys(labels).length > 0 && Object.entries(labels).every(([key, value]) => typeof value === 'string' && of[key] === value);
}

function targetPorts({ port, targetPort = port, protocol }: ServicePort, pods: KnownPods): KnownPort[] {
  if (typeof targetPort === 'number') return [{ port: targetPort, ...(protocol ? { protocol } : {}) }];
  return pods.ports.filter(({ name }) => name === targetPort);
}

function unmet({ input }: World, need: Need): Finding[] {
  const { by, field, from, to, ports, because } = need;
  if (from.length === 0 || ports.length === 0) return [];
  const traffic = permittedTraffic(input);
  const isMet = from.some((one) => ports.some((port) => traffic.maySend(one, to, port) && traffic.mayReceive(one, to, port)));
  if (isMet) return [];
  const isLetOut = from.some((one) => ports.some((port) => traffic.maySend(one, to, port)));
  const isLetIn = from.some((one) => ports.some((port) => traffic.mayReceive(one, to, port)));
  const lacking = isLetOut ? 'lets it in' : isLetIn ? 'lets it out' : 'permits it';
  const ends = `from ${list(from.map(describe))} to ${describe(to)} on ${list(ports.map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`))}`;
  return [
    {
      by,
      field,
      message: `No flow ${lacking}: traffic ${ends}, which it needs because ${because}.`,
      fix: "Declare the flow in the 'flows' of the component (or of the chart's entry in argocd/catalog), with these ends and the reason.",
    },
  ];
}

function describe(end: End): string {
  if (end === 'api-server') return 'the API server';
  if (end === 'clients') return 'clients outside of the cluster';
  return 'host' in end ? end.host : end.owner;
}

const TRAEFIK = 'traefik';

/** What Traefik is told to send to, and the entry points on which it is told to listen. */
function routes(world: World): Need[] {
  const { input } = world;
  const traefik = world.podsOfChart(TRAEFIK);
  const needs: Need[] = [];
  for (const reference of referencesOf(input)) {
    const { object: by, field, kind, namespace = '', name, port } = reference;
    if (kind !== 'Service') continue;
    // A StatefulSet names its Service too, and sends nothing to it.
    const from = senders(world, by);
    for (const { pods, ports } of world.endpoints(namespace, name, port)) {
      needs.push({ by, field, from, to: pods, ports, because: `it sends to Service ${namespace}/${name}` });
    }
  }
  for (const kind of ['IngressRoute', 'IngressRouteTCP', 'IngressRouteUDP']) {
    for (const by of input.ofKind(kind)) {
      for (const entryPoint of (by.manifest.spec?.entryPoints ?? []) as string[]) {
        for (const to of traefik) {
          const ports = to.ports.filter(({ name }) => name === entryPoint);
          const field = 'spec.entryPoints';
          needs.push({ by, field, from: ['clients'], to, ports, because: `it is served at the entry point '${entryPoint}'` });
        }
      }
    }
  }
  for (const by of input.ofKind('Middleware')) {
    const field = 'spec.forwardAuth.address';
    needs.push(...toAddresses(world, by, field, traefik, by.manifest.spec?.forwardAuth?.address));
  }
  return needs;
}

/** Who sends to a Service that an object names. */
function senders(world: World, { manifest }: BuiltObject): readonly KnownPods[] {
  if (manifest.apiVersion.startsWith('traefik.io/')) return world.podsOfChart(TRAEFIK);
  return manifest.kind === 'FleetAutoscaler' ? world.workloadOfChart('agones', 'agones-controller') : [];
}

interface MetricsEndpoint {
  readonly port?: string;
  readonly portNumber?: number;
  readonly targetPort?: number | string;
}

/** What Prometheus is told to read. */
function monitors(world: World): Need[] {
  const { input, inventory } = world;
  const from = world.workloadOfChart('kube-prometheus-stack', 'prometheus');
  const because = 'Prometheus reads the metrics there';
  const needs: Need[] = [];
  for (const by of input.ofKind('ServiceMonitor')) {
    const services = monitored(by, inventory).flatMap((namespace) => inventory.servicesIn(namespace, by.manifest.spec?.selector ?? {}));
    ((by.manifest.spec?.endpoints ?? []) as MetricsEndpoint[]).forEach((endpoint, index) => {
      for (const { namespace, name } of services) {
        const field = `spec.endpoints[${index}]`;
        for (const { pods, ports } of world.endpoints(namespace, name, endpoint.port)) {
          const target = endpoint.targetPort;
          const read = target === undefined ? ports : pods.ports.filter((each) => each.port === target || each.name === target);
          needs.push({ by, field, from, to: pods, ports: read, because });
        }
      }
    });
  }
  for (const by of input.ofKind('PodMonitor')) {
    const selected = monitored(by, inventory).flatMap((namespace) => inventory.podsIn(namespace, by.manifest.spec?.selector ?? {}));
    ((by.manifest.spec?.podMetricsEndpoints ?? []) as MetricsEndpoint[]).forEach((endpoint, index) => {
      for (const pods of selected) {
        const ports = pods.ports.filter(
          ({ name, port }) => (endpoint.port !== undefined && name === endpoint.port) || port === endpoint.portNumber,
        );
        needs.push({ by, field: `spec.podMetricsEndpoints[${index}]`, from, to: pods, ports, because });
      }
    });
  }
  return needs;
}

interface Volume {
  readonly name: string;
  readonly projected?: { readonly sources?: readonly { readonly serviceAccountToken?: { readonly audience?: string } }[] };
}

/** Pods with a token for the API server use it; so do those that operators give one: Agones' game servers, a database's instances, K8up's Jobs. */
function tokens(world: World): Need[] {
  const { input } = world;
  const ports = [{ port: input.built.cluster.kubernetes.apiServer.port }];
  const needs: Need[] = [];
  const say = (by: BuiltObject, field: string, because: string): void => {
    for (const pods of world.podsOf(by)) needs.push({ by, field, from: [pods], to: 'api-server', ports, because });
  };
  for (const { object: by, path, spec } of input.podTemplates) {
    const { kind, metadata } = by.manifest;
    if (kind === 'Fleet') {
      say(by, `${path}.serviceAccountName`, "Agones' side container in every game server reports to the API server");
      continue;
    }
    const account = input.find('ServiceAccount', metadata.namespace, spec.serviceAccountName ?? 'default');
    if (spec.automountServiceAccountToken ?? account?.manifest.automountServiceAccountToken ?? true) {
      say(by, `${path}.automountServiceAccountToken`, 'its pods have a token of the API server mounted');
    }
    ((spec.volumes ?? []) as Volume[]).forEach((volume, index) => {
      const isForApi = volume.projected?.sources?.some(({ serviceAccountToken: token }) => token !== undefined && !token.audience);
      if (isForApi) say(by, `${path}.volumes[${label(volume, index)}]`, 'the volume holds a token of the API server');
    });
  }
  for (const by of databases(input)) say(by, 'spec', "every instance's manager reads its Cluster and writes its status");
  for (const by of input.ofKind('Schedule')) say(by, 'spec', 'K8up keeps a Snapshot object for every snapshot');
  return needs;
}

function databases(input: CheckInput): BuiltObject[] {
  return input.ofKind('Cluster').filter(({ manifest }) => manifest.apiVersion.startsWith('postgresql.cnpg.io/'));
}

const POSTGRES_PORT = 5432;

/** Pods that hold the credentials of a database's role connect to the database. */
function credentials(world: World): Need[] {
  const { input, inventory } = world;
  const owners = new Map<string, BuiltObject>();
  for (const cluster of databases(input)) {
    const { metadata, spec } = cluster.manifest;
    const managed = ((spec?.managed?.roles ?? []) as { passwordSecret?: { name?: string } }[]).map((role) => role.passwordSecret?.name);
    for (const name of [spec?.bootstrap?.initdb?.secret?.name, spec?.superuserSecret?.name, ...managed]) {
      if (name !== undefined) owners.set(`${metadata.namespace}/${name}`, cluster);
    }
  }
  for (const { manifest } of input.ofKind('DatabaseRole')) {
    const { namespace } = manifest.metadata;
    const cluster = input.find('Cluster', namespace, manifest.spec?.cluster?.name ?? '');
    if (cluster) owners.set(`${namespace}/${manifest.spec?.passwordSecret?.name}`, cluster);
  }
  const needs: Need[] = [];
  for (const { object: by, field, kind, namespace = '', name } of referencesOf(input)) {
    if (kind !== 'Secret' || isDatabaseKind(by)) continue;
    const maker = inventory.secret(namespace, name)?.object;
    const cluster = owners.get(`${namespace}/${name}`) ?? (maker && isDatabaseKind(maker) ? maker : undefined);
    if (!cluster) continue;
    for (const from of world.podsOf(by)) {
      for (const to of instances(world, cluster)) {
        const because = `its pods have the credentials '${name}' of ${cluster.manifest.kind} '${cluster.manifest.metadata.name}'`;
        needs.push({ by, field, from: [from], to, ports: [{ port: POSTGRES_PORT }], because });
      }
    }
  }
  return needs;
}

function isDatabaseKind({ manifest }: BuiltObject): boolean {
  return manifest.apiVersion.startsWith('postgresql.cnpg.io/');
}

/** Pods of a database that serve it: bootstrap Jobs do not. */
function instances(world: World, cluster: BuiltObject): readonly KnownPods[] {
  return world.podsOf(cluster).filter(({ ports }) => ports.some(({ port }) => port === POSTGRES_PORT));
}

/** Pods reach the in-cluster addresses that their environment, arguments and ConfigMaps name. */
function addresses(world: World): Need[] {
  const { input } = world;
  const needs: Need[] = [];
  for (const template of input.podTemplates) {
    for (const { field, text } of addressTexts(template)) {
      needs.push(...fromEach(world, template.object, field, text));
    }
  }
  for (const reference of referencesOf(input)) {
    if (reference.kind !== 'ConfigMap' || world.podsOf(reference.object).length === 0) continue;
    for (const text of textsOf(input, reference)) needs.push(...fromEach(world, reference.object, reference.field, text));
  }
  return needs;
}

function fromEach(world: World, by: BuiltObject, field: string, text: unknown): Need[] {
  // Most texts name no address: nothing is made for them.
  if (typeof text !== 'string' || !text.includes('.svc')) return [];
  return world.podsOf(by).flatMap((pods) => toAddresses(world, by, field, [pods], text));
}

/** Texts of a ConfigMap that a reference takes: one key's, or all of them. */
function textsOf(input: CheckInput, { namespace, name, key }: Reference): readonly unknown[] {
  const data: Readonly<Record<string, unknown>> = input.find('ConfigMap', namespace, name)?.manifest.data ?? {};
  return key === undefined ? Object.values(data) : [data[key]];
}

/** Some pod of a chart reaches the address that the chart's values name; which one is the chart's to know. */
function chartAddresses(world: World): Need[] {
  const needs: Need[] = [];
  for (const by of world.input.ofKind('Application')) {
    const { source } = by.manifest.spec ?? {};
    const from = world.podsOfChart(by.manifest.metadata.name);
    if (from.length === 0) continue;
    visitTexts(source?.helm?.valuesObject, 'spec.source.helm.valuesObject', (field, text) => {
      needs.push(...toAddresses(world, by, field, from, text));
    });
  }
  return needs;
}

function toAddresses(world: World, by: BuiltObject, field: string, from: readonly KnownPods[], text: unknown): Need[] {
  return serviceAddresses(text).flatMap((address) =>
    world
      .endpoints(address.namespace, address.name, portOf(address, String(text)))
      // An address of one's own is for others.
      .filter(({ pods }) => !from.includes(pods))
      .map(({ pods, ports }) => ({ by, field, from, to: pods, ports, because: `it names the address '${address.text}'` })),
  );
}

/** The port that an address says; by its scheme where it says none. */
function portOf({ text: address, port }: ServiceAddress, text: string): number | undefined {
  if (port !== undefined) return port;
  if (text.includes(`http://${address}`)) return 80;
  return text.includes(`https://${address}`) ? 443 : undefined;
}

/** Whoever dials a load balancer's address arrives at the pod as a client from outside. */
function loadBalancers(world: World): Need[] {
  const needs: Need[] = [];
  for (const by of world.input.ofKind('Service')) {
    const { metadata, spec } = by.manifest;
    if (spec?.type !== 'LoadBalancer') continue;
    ((spec.ports ?? []) as ServicePort[]).forEach((port, index) => {
      const field = `spec.ports[${label(port, index)}]`;
      const because = 'it is a load balancer for that port';
      const pods = world.inventory.podsIn(metadata.namespace ?? '', { matchLabels: spec.selector ?? {} });
      for (const to of spec.selector ? pods : []) {
        for (const target of targetPorts(port, to)) {
          // A named port is found by its name; the protocol is the Service's.
          needs.push({ by, field, from: ['clients'], to, ports: [{ ...target, protocol: port.protocol ?? 'TCP' }], because });
        }
      }
    });
  }
  return needs;
}

/** Ports of the node that lead to a pod: those of containers, and those that Agones chooses for a Fleet's game servers. */
function hostPorts(world: World): Need[] {
  const { input } = world;
  const needs: Need[] = [];
  for (const template of input.podTemplates) {
    const { object: by } = template;
    const say = (field: string, port: KnownPort): void => {
      const because = 'a port of the node leads there';
      for (const to of world.podsOf(by)) needs.push({ by, field, from: ['clients'], to, ports: [port], because });
    };
    for (const { path, spec } of containersOf(template)) {
      ((spec.ports ?? []) as { name?: string; containerPort: number; hostPort?: number; protocol?: string }[]).forEach((port, index) => {
        if (!port.hostPort) return;
        say(`${path}.ports[${label(port, index)}]`, { port: port.containerPort, protocol: port.protocol ?? 'TCP' });
      });
    }
    if (by.manifest.kind !== 'Fleet') continue;
    const ports: readonly { containerPort?: number; protocol?: string }[] = by.manifest.spec?.template?.spec?.ports ?? [];
    ports.forEach((port, index) => {
      const protocols = port.protocol === 'TCPUDP' ? ['TCP', 'UDP'] : [port.protocol ?? 'UDP'];
      for (const protocol of port.containerPort ? protocols : [])
        say(`spec.template.spec.ports[${label(port, index)}]`, { port: port.containerPort as number, protocol });
    });
  }
  return needs;
}

interface Store {
  readonly parameters?: { readonly barmanObjectName?: string };
}

/** Databases and backups reach the object store that they write to. */
function archives(world: World): Need[] {
  const { input } = world;
  const needs: Need[] = [];
  for (const by of databases(input)) {
    const { metadata, spec } = by.manifest;
    const external = ((spec?.externalClusters ?? []) as { plugin?: Store }[]).map(({ plugin }) => plugin);
    const names = [...((spec?.plugins ?? []) as Store[]), ...external].map((plugin) => plugin?.parameters?.barmanObjectName);
    for (const name of new Set(names)) {
      const store = name === undefined ? undefined : input.find('ObjectStore', metadata.namespace, name);
      if (!store) continue;
      const because = `ObjectStore '${name}' is where its archive is`;
      needs.push(...toStore(world, by, 'spec.plugins', store.manifest.spec?.configuration?.endpointURL ?? AWS, because));
    }
  }
  for (const by of input.ofKind('Schedule')) {
    const { spec = {} } = by.manifest;
    for (const part of [undefined, 'archive', 'backup', 'check', 'prune', 'restore']) {
      const s3 = (part === undefined ? spec : spec[part])?.backend?.s3;
      if (s3 === undefined) continue;
      const field = `spec.${part === undefined ? '' : `${part}.`}backend.s3.endpoint`;
      needs.push(...toStore(world, by, field, s3.endpoint ?? AWS, 'its backups go there'));
    }
  }
  return needs;
}

/** Where Barman and restic write when nobody says otherwise. */
const AWS = 'https://s3.amazonaws.com';

function toStore(world: World, by: BuiltObject, field: string, endpoint: string, because: string): Need[] {
  const from = world.podsOf(by);
  if (serviceAddresses(endpoint).length > 0) return from.flatMap((pods) => toAddresses(world, by, field, [pods], endpoint));
  // An endpoint that is no URL is the description's to refuse.
  if (!URL.canParse(endpoint)) return [];
  const { hostname: host, port, protocol } = new URL(endpoint);
  const ports = [{ port: port ? Number(port) : protocol === 'http:' ? 80 : 443 }];
  return from.map((pods) => ({ by, field, from: [pods], to: { host }, ports, because }));
}
