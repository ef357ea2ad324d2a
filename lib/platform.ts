/**
 * Facts that several components share: namespaces, ports, label keys, and the workloads that talk to each other.
 * It deliberately holds no objects; a fact that only one component needs stays in that component.
 */

import { workload } from './component';
import type { Outside, Workload, WorkloadGroup } from './flows';
import type { Cluster } from './model/cluster';

/** Namespaces of ours. Realms have one each (`realm-<name>`), so that a realm's key and rights are its own. */
export const NAMESPACES = {
  broker: 'connect-broker',
  database: 'database',
  instances: 'instances',
  pihole: 'pihole',
  monitoring: 'monitoring',
  probes: 'probes',
} as const;

/** Label keys of ours. `mmo` is a valid prefix (a DNS label) and collides with nobody. */
export const LABELS = {
  realm: 'mmo/realm',
  continent: 'mmo/continent',
  contentType: 'mmo/content-type',
  /** Id of the instance that a GameServer was allocated for; the broker sets it with the allocation. */
  instance: 'mmo/instance',
  /** Difficulty that an instance was asked for with, where its content type has several; the broker sets it with the allocation. */
  difficulty: 'mmo/difficulty',
  /** Build of the game that runs in a pod; the broker allocates instances of the current build only. */
  build: 'mmo/build',
  protocolId: 'mmo/protocol-id',
  /** Which generation of the netcode key a pod was started with; the broker signs tokens with that one. */
  netcodeKeyGeneration: 'mmo/netcode-key-generation',
  /** On every pod that runs the game, realms and instances alike. */
  gameServer: 'mmo/game-server',
  /** On Applications that wait for a window (`true`): our health check takes their OutOfSync as healthy, and the alert about it leaves them out. */
  syncWindow: 'mmo/sync-window',
  /** On namespaces that hold game servers (`game`). */
  role: 'mmo/role',
} as const;

/** Ports of a game server's container. Agones' sidecar takes 9357, 9358 and 8080: none of those. */
export const GAME_PORTS = { game: 7777, status: 7780, metrics: 7781 } as const;

/** Ports of the broker's container: players (behind Traefik), game servers, Agones' controller (both in the cluster only), Prometheus. A port each, because network policies know no paths. */
export const BROKER_PORTS = { http: 8080, internal: 8081, autoscaler: 8082, metrics: 9090 } as const;

/** Name of the Service that game servers call; it has no IngressRoute. */
export const BROKER_INTERNAL_SERVICE = 'connect-broker-internal';
export const BROKER_SERVICE = 'connect-broker';
export const BROKER_INTERNAL_URL = `http://${BROKER_INTERNAL_SERVICE}.${NAMESPACES.broker}.svc.cluster.local:${BROKER_PORTS.internal}`;
/** Name of the Service that Agones' controller asks for the size of Fleets; it has no IngressRoute either. */
export const BROKER_AUTOSCALER_SERVICE = 'connect-broker-autoscaler';
export const BROKER_AUTOSCALER_URL = `http://${BROKER_AUTOSCALER_SERVICE}.${NAMESPACES.broker}.svc.cluster.local:${BROKER_PORTS.autoscaler}`;
/** Audience of the projected ServiceAccount tokens with which game servers call the broker. */
export const BROKER_AUDIENCE = 'connect-broker';

export const POSTGRES_PORT = 5432;
/** What stays the same in every generation of the database. `name` is that of its NetworkPolicy, certificate and monitors. */
export const DATABASE = {
  name: 'postgres',
  database: 'broker',
  owner: 'broker_owner',
  application: 'broker',
} as const;

/**
 * Name of a generation's CNPG Cluster and of its archive; its read-write Service is `<name>-rw`.
 * It carries the generation from the first one on, so that a recovered database is another object beside the protected one that it comes from.
 */
export function databaseCluster(generation: number): string {
  return `${DATABASE.name}-${generation}`;
}

/** Where backups go: out of the cluster, but on a laptop, whose store may be in the cluster or on the laptop itself (the check `backups-outside`). */
export function backupStore(cluster: Cluster): Outside {
  return { outside: cluster.hasLoadBalancer ? 'internet' : 'anywhere' };
}

export const WORKLOADS = {
  broker: workload(NAMESPACES.broker, 'connect-broker', {
    'app.kubernetes.io/name': 'connect-broker',
    'app.kubernetes.io/component': 'server',
  }),
  brokerMigration: workload(NAMESPACES.broker, 'connect-broker-migrate', {
    'app.kubernetes.io/name': 'connect-broker',
    'app.kubernetes.io/component': 'migrate',
  }),
  /**
   * CNPG labels every pod of a Cluster, its bootstrap Jobs too, with this. Only the described generation has flows: an earlier one that still runs
   * is left to the default deny, and archives and answers nothing any more.
   */
  database: (cluster: Cluster) =>
    workload(NAMESPACES.database, DATABASE.name, { 'cnpg.io/cluster': databaseCluster(cluster.database.generation) }),
  probes: workload(NAMESPACES.probes, 'blackbox-exporter', { 'app.kubernetes.io/name': 'blackbox-exporter' }),
  pihole: workload(NAMESPACES.pihole, 'pihole', { 'app.kubernetes.io/name': 'pihole' }),
} as const;

/** All worlds of one realm: one policy serves its continents. */
export function realmWorkload(realm: { readonly namespace: string; readonly name: string }): Workload {
  return workload(realm.namespace, 'game-server', { [LABELS.gameServer]: 'true', [LABELS.realm]: realm.name });
}

export function instancesWorkload(): Workload {
  return workload(NAMESPACES.instances, 'game-server', { [LABELS.gameServer]: 'true' });
}

/** Every game server, wherever it is: what the broker sees as one peer. */
export function gameServers(cluster: Cluster): WorkloadGroup {
  return gameServerGroup([...cluster.realms.map(realmWorkload), ...(cluster.instances.length > 0 ? [instancesWorkload()] : [])]);
}

/** Some game servers, named to the other end as all of them: another realm then changes nothing there. */
export function gameServerGroup(members: readonly Workload[]): WorkloadGroup {
  return { namespaceLabels: { [LABELS.role]: 'game' }, podLabels: { [LABELS.gameServer]: 'true' }, members };
}
