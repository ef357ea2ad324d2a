/**
 * The index of worlds and instances: the kept fields of Kubernetes' objects, joined into what a connect token is made of.
 * It deliberately asks nobody: reflectors fill it through its `collections`, and readers get what is there. Joined entries are made when they are first read
 * after a change, so that a busy Fleet costs nothing while nobody looks.
 */
import { GAME_PORTS, LABELS } from '../../../../lib/platform.ts';
import type { Settings } from '../settings.ts';
import type { AddressBook } from './address-book.ts';
import { changeNotifier } from './change-notifier.ts';
import {
  type KeptEndpoints,
  type KeptFleet,
  type KeptGameServer,
  type KeptPod,
  type KeptService,
  type KeptStatefulSet,
  keepEndpoints,
  keepFleet,
  keepGameServer,
  keepPod,
  keepService,
  keepStatefulSet,
} from './objects.ts';
import type { Collection } from './reflector.ts';
import {
  type Address,
  type FleetState,
  type InstanceServer,
  instanceServerId,
  type ServerIdentity,
  type ServerView,
  type WorldServer,
  worldServerId,
} from './view.ts';

/** The joined side of the view; whether it is whole and how old it is, the reflectors know. */
export interface KubernetesIndex extends Omit<ServerView, 'synced' | 'ageSeconds' | 'instancesKnown'> {
  /** What must be listed and watched to fill it: exactly what the Roles in the realms' and the instances' namespaces allow. */
  readonly collections: readonly Collection<unknown>[];
  /** Those among them that say which instances there are; none without instanced content. */
  readonly instanceCollections: readonly Collection<unknown>[];
  /** Addresses have been resolved anew. */
  addressesChanged(): void;
}

type RealmSettings = Settings['realms'][number];

interface RealmState {
  readonly settings: RealmSettings;
  readonly statefulSets: Map<string, KeptStatefulSet>;
  readonly pods: Map<string, KeptPod>;
  readonly services: Map<string, KeptService>;
  readonly endpoints: Map<string, KeptEndpoints>;
  /** Undefined after a change, until somebody reads. */
  worlds: ReadonlyMap<string, WorldServer> | undefined;
}

/** Addresses of one kind in a token: each costs a client seconds of the token's life before it tries the next. */
const MOST_LAN_ADDRESSES = 2;

/** @param findAddresses an address book's `find`: literals as they are, host names as they were last resolved */
export function kubernetesIndex(settings: Settings, findAddresses: AddressBook['find']): KubernetesIndex {
  const nodes = new Map(settings.nodes.map((node) => [node.name, node]));
  const realms = new Map<string, RealmState>(
    settings.realms.map((realm) => [
      realm.name,
      { settings: realm, statefulSets: new Map(), pods: new Map(), services: new Map(), endpoints: new Map(), worlds: undefined },
    ]),
  );
  const byNamespace = new Map([...realms.values()].map((realm) => [realm.settings.namespace, realm]));
  const { instancesNamespace } = settings.kubernetes;
  const gameServers = new Map<string, KeptGameServer>();
  const gamePods = new Map<string, KeptPod>();
  const fleets = new Map<string, KeptFleet>();
  /** Names of GameServers by the instance that they were allocated for. */
  const allocatedFor = new Map<string, Set<string>>();
  const joined = new Map<string, InstanceServer>();
  let allWorlds: readonly WorldServer[] | undefined;
  let allInstances: readonly InstanceServer[] | undefined;

  const { changed, onChange: listen } = changeNotifier();
  const realmChanged = (realm: RealmState) => {
    realm.worlds = undefined;
    allWorlds = undefined;
    changed();
  };
  const instanceChanged = (name: string) => {
    joined.delete(name);
    allInstances = undefined;
    changed();
  };

  /** Every address that a name or literal stands for, with the port. */
  const dialled = (addressOrName: string, port: number): Address[] => findAddresses(addressOrName).map((address) => ({ address, port }));

  function joinWorld(realm: RealmState, continent: RealmSettings['continents'][number]): WorldServer {
    const { name, namespace } = realm.settings;
    const serverId = worldServerId(name, continent.name);
    const wanted = realm.statefulSets.get(continent.name)?.replicas;
    const podName = `${continent.name}-0`;
    const pod = realm.pods.get(podName);
    const world = { realm: name, continent: continent.name, serverId };
    const withoutPod = wanted === undefined ? 'missing' : wanted === 0 ? 'asleep' : 'starting';
    if (!pod) return { ...world, phase: withoutPod };
    const identity = identityOf(pod, { serverId, podName, namespace, ...placesOf(realm, continent, pod) });
    // A pod that is not ready gets no traffic, whatever else it does.
    if (!identity || !pod.ready) return { ...world, phase: pod.deleting || wanted === 0 ? withoutPod : 'starting' };
    if (pod.deleting || wanted === 0) return { ...world, phase: 'stopping', identity };
    return isReachable(realm, continent.name, identity.privateAddress.address)
      ? { ...world, phase: 'ready', identity }
      : { ...world, phase: 'starting' };
  }

  /** Between a pod's readiness and its entry in the load balancer's endpoints, what players send is lost. Without any endpoints at all the pod's word counts. */
  function isReachable(realm: RealmState, continent: string, ip: string): boolean {
    const names = new Set([...realm.services].filter(([, service]) => service.continent === continent).map(([name]) => name));
    const slices = [...realm.endpoints.values()].filter(({ service }) => names.has(service));
    return slices.length === 0 || slices.some(({ serving }) => serving.includes(ip));
  }

  /** Where players dial. What the API says comes first, because it is what is announced; the configuration says what was meant. */
  function placesOf(realm: RealmState, continent: RealmSettings['continents'][number], pod: KeptPod): Pick<ServerIdentity, 'lan' | 'wan'> {
    const configured = { lan: continent.lan, wan: continent.public };
    if (pod.hostPort !== undefined) {
      const node = pod.node === undefined ? undefined : nodes.get(pod.node);
      const wan = node?.public ?? configured.wan?.address;
      return {
        lan: dialled(node?.lan ?? configured.lan.address, pod.hostPort),
        wan: wan === undefined ? [] : dialled(wan, pod.hostPort),
      };
    }
    const announced = [...realm.services.values()]
      .filter((service) => service.continent === continent.name)
      .flatMap(({ addresses, port }) => (port === undefined ? [] : addresses.flatMap((address) => dialled(address, port))));
    return {
      lan: (announced.length > 0 ? announced : dialled(configured.lan.address, configured.lan.port)).slice(0, MOST_LAN_ADDRESSES),
      wan: configured.wan ? dialled(configured.wan.address, configured.wan.port) : [],
    };
  }

  function joinInstance(name: string, server: KeptGameServer): InstanceServer {
    const pod = gamePods.get(name);
    const node = server.node === undefined ? undefined : nodes.get(server.node);
    // Agones names the node's address as the cluster knows it: in a home that is the LAN's.
    const lan = node?.lan ?? server.address;
    const identity =
      pod && server.port !== undefined && lan !== undefined
        ? identityOf(pod, {
            serverId: instanceServerId(name),
            podName: name,
            namespace: instancesNamespace ?? '',
            lan: dialled(lan, server.port),
            wan: node?.public === undefined ? [] : dialled(node.public, server.port),
          })
        : undefined;
    const { uid, contentType, state, instanceId, readyFor, createdAt } = server;
    return { name, uid, contentType, state, instanceId, readyFor, createdAt, ...(identity ? { identity } : {}) };
  }

  const instance = (name: string): InstanceServer | undefined => {
    const known = joined.get(name);
    if (known) return known;
    const server = gameServers.get(name);
    if (!server) return undefined;
    const made = joinInstance(name, server);
    joined.set(name, made);
    return made;
  };
  const present = (names: Iterable<string>): InstanceServer[] => [...names].flatMap((name) => instance(name) ?? []);
  const worldsOf = (realm: RealmState): ReadonlyMap<string, WorldServer> => {
    realm.worlds ??= new Map(realm.settings.continents.map((continent) => [continent.name, joinWorld(realm, continent)]));
    return realm.worlds;
  };
  const setGameServer = (name: string, server: KeptGameServer | undefined) => {
    const before = gameServers.get(name);
    if (before?.instanceId !== undefined && before.instanceId !== server?.instanceId) {
      const names = allocatedFor.get(before.instanceId);
      names?.delete(name);
      if (names?.size === 0) allocatedFor.delete(before.instanceId);
    }
    if (server === undefined) gameServers.delete(name);
    else {
      gameServers.set(name, server);
      if (server.instanceId !== undefined) {
        const names = allocatedFor.get(server.instanceId) ?? new Set();
        allocatedFor.set(server.instanceId, names.add(name));
      }
    }
    instanceChanged(name);
  };

  const collections: Collection<unknown>[] = [];
  /** A collection whose items are kept in a Map. */
  const kept = <Item, KubernetesObject>(
    name: string,
    path: string,
    items: Map<string, Item>,
    keep: (object: KubernetesObject) => Item | undefined,
    onChange: (key: string) => void,
    labelSelector?: string,
  ): void => {
    const set = (key: string, item: Item | undefined): void => {
      if (item === undefined ? !items.delete(key) : items.set(key, item) === undefined) return;
      onChange(key);
    };
    add({ name, path, project: keep, set, keys: () => items.keys(), ...(labelSelector === undefined ? {} : { labelSelector }) });
  };
  const add = <Item>({
    keys,
    set,
    ...rest
  }: Omit<Collection<Item>, 'replace' | 'project'> & {
    keys: () => Iterable<string>;
    project: (object: never) => Item | undefined;
  }): void => {
    collections.push({
      ...rest,
      set: set as Collection<unknown>['set'],
      replace: (items) => {
        for (const key of [...keys()]) if (!items.has(key)) set(key, undefined);
        for (const [key, item] of items) set(key, item as Item);
      },
    });
  };

  for (const realm of realms.values()) {
    const { name, namespace } = realm.settings;
    const ours = `${LABELS.realm}=${name}`;
    const onChange = () => realmChanged(realm);
    kept(
      `StatefulSets of ${namespace}`,
      `/apis/apps/v1/namespaces/${namespace}/statefulsets`,
      realm.statefulSets,
      keepStatefulSet,
      onChange,
      ours,
    );
    kept(
      `pods of ${namespace}`,
      `/api/v1/namespaces/${namespace}/pods`,
      realm.pods,
      keepPod,
      onChange,
      `${ours},${LABELS.gameServer}=true`,
    );
    kept(`Services of ${namespace}`, `/api/v1/namespaces/${namespace}/services`, realm.services, keepService, onChange, ours);
    // Without our labels: what labels a slice has is its controller's business, but for the name of its Service.
    kept(
      `EndpointSlices of ${namespace}`,
      `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      realm.endpoints,
      keepEndpoints,
      onChange,
      'kubernetes.io/service-name',
    );
  }
  if (instancesNamespace !== undefined) {
    const namespace = instancesNamespace;
    const agones = `/apis/agones.dev/v1/namespaces/${namespace}`;
    const ours = `${LABELS.gameServer}=true`;
    kept(`pods of ${namespace}`, `/api/v1/namespaces/${namespace}/pods`, gamePods, keepPod, instanceChanged, ours);
    kept(`Fleets of ${namespace}`, `${agones}/fleets`, fleets, keepFleet, changed);
    add({
      name: `GameServers of ${namespace}`,
      path: `${agones}/gameservers`,
      labelSelector: ours,
      project: keepGameServer,
      keys: () => gameServers.keys(),
      set: setGameServer,
    });
  }

  return {
    collections,
    instanceCollections: collections.filter(
      ({ path }) => instancesNamespace !== undefined && path.includes(`/namespaces/${instancesNamespace}/`),
    ),
    world: (realm, continent) => {
      const state = realms.get(realm);
      return state && worldsOf(state).get(continent);
    },
    worlds: () => {
      allWorlds ??= [...realms.values()].flatMap((realm) => [...worldsOf(realm).values()]);
      return allWorlds;
    },
    instance,
    instancesOf: (id) => present(allocatedFor.get(id) ?? []),
    instances: () => {
      allInstances ??= present(gameServers.keys());
      return allInstances;
    },
    fleet: (contentType): FleetState | undefined => {
      const fleet = fleets.get(contentType);
      return fleet && { contentType, ...fleet };
    },
    onChange: listen,
    serverOfPod: (namespace, podName, podUid) => {
      if (namespace === instancesNamespace) {
        return gameServers.has(podName) && gamePods.get(podName)?.uid === podUid ? instanceServerId(podName) : undefined;
      }
      const realm = byNamespace.get(namespace);
      if (realm?.pods.get(podName)?.uid !== podUid) return undefined;
      const continent = realm.settings.continents.find(({ name }) => `${name}-0` === podName);
      return continent && worldServerId(realm.settings.name, continent.name);
    },
    addressesChanged: () => {
      for (const realm of realms.values()) realm.worlds = undefined;
      allWorlds = undefined;
      joined.clear();
      allInstances = undefined;
      changed();
    },
  };
}

/** Undefined until the pod has an address and all labels that a token needs. */
function identityOf(
  pod: KeptPod,
  place: Pick<ServerIdentity, 'serverId' | 'podName' | 'namespace' | 'lan' | 'wan'>,
): ServerIdentity | undefined {
  const { uid, ip, keyGeneration, protocolId, build } = pod;
  if (ip === undefined || keyGeneration === undefined || protocolId === undefined || build === undefined) return undefined;
  const privateAddress = { address: ip, port: GAME_PORTS.game };
  return { ...place, podUid: uid, privateAddress, keyGeneration, protocolId, build };
}
