/**
 * What the platform promises a game server and what it asks of it: environment variables, files, HTTP paths, timings (docs/game-server.md in words).
 * It deliberately holds no objects: worlds and instances are emitted from these constants, so that both keep one contract.
 */
import { createHash } from 'node:crypto';
import type { Cluster, ContentType, Continent, Realm, Resources } from './model/cluster';
import { BROKER_INTERNAL_URL, GAME_PORTS, LABELS } from './platform';

/** Paths of the status port (HTTP, plain, reachable by the kubelet and by nobody else). */
export const STATUS_PATHS = {
  /** 200 as long as the process works; the world may still be loading. */
  alive: '/healthz',
  /** 200 when the world is loaded and connected players are served: also while full, draining or stopping. */
  ready: '/readyz',
  /** The status document, for people and tests. */
  status: '/status',
  /** `?seconds=N`: warns players and answers when N seconds are over or nobody is left. */
  announce: '/announce',
} as const;

/** Files of the container. All else is read-only except these two folders. */
export const GAME_FILES = {
  /** The volume of a world; instances have none. */
  world: '/world',
  temporary: '/tmp',
  /** The netcode key of the pod's generation: 32 raw bytes. The same path for every generation, so that file and generation cannot disagree. */
  netcodeKey: '/etc/mmo/netcode/key',
  /** Renewed by the kubelet long before it runs out: read it again for each call. */
  brokerToken: '/var/run/secrets/connect-broker/token',
} as const;

/** Pod annotation with the hash of the configuration, so that a change of it restarts the server, announced and saved. */
export const CONFIG_HASH_ANNOTATION = 'mmo/config-hash';

/** How long a world may load before it is given up: startup probe, period times failures. */
export const STARTUP = { periodSeconds: 5, failureThreshold: 120 } as const;

/**
 * Environment variables that Kubernetes fills in for each pod: name to field path.
 * What the broker also reads as a label of the pod comes from that label and not from the ConfigMap, so that both see the same, also while a change is rolled out.
 */
export const POD_ENVIRONMENT = {
  POD_NAME: 'metadata.name',
  POD_NAMESPACE: 'metadata.namespace',
  POD_UID: 'metadata.uid',
  POD_IP: 'status.podIP',
  NODE_NAME: 'spec.nodeName',
  MMO_BUILD: `metadata.labels['${LABELS.build}']`,
  MMO_NETCODE_KEY_GENERATION: `metadata.labels['${LABELS.netcodeKeyGeneration}']`,
  MMO_PROTOCOL_ID: `metadata.labels['${LABELS.protocolId}']`,
} as const;

/** Variables of every game server's ConfigMap. Titles are not among them: they are free to change and must restart nothing. */
const COMMON_ENVIRONMENT = {
  MMO_BROKER_TOKEN_FILE: GAME_FILES.brokerToken,
  MMO_BROKER_URL: BROKER_INTERNAL_URL,
  MMO_GAME_PORT: String(GAME_PORTS.game),
  MMO_METRICS_PORT: String(GAME_PORTS.metrics),
  MMO_NETCODE_KEY_FILE: GAME_FILES.netcodeKey,
  MMO_STATUS_PORT: String(GAME_PORTS.status),
} as const;

/** Environment of a persistent world, all but what POD_ENVIRONMENT says. */
export function worldEnvironment(cluster: Cluster, realm: Realm, continent: Continent): Record<string, string> {
  return {
    ...COMMON_ENVIRONMENT,
    MMO_ANNOUNCE_SECONDS: String(cluster.game.announceSeconds),
    MMO_CAPACITY: String(continent.capacity),
    MMO_CONTINENT: continent.name,
    MMO_GRACE_SECONDS: String(cluster.worldGraceSeconds),
    MMO_KIND: 'world',
    MMO_REALM: realm.name,
    MMO_SAVE_SECONDS: String(cluster.game.saveSeconds),
    MMO_WORLD_DIRECTORY: GAME_FILES.world,
  };
}

/** Environment of a server of instanced content. Which instance it is, it learns from Agones when it is allocated. */
export function instanceEnvironment(type: ContentType): Record<string, string> {
  return {
    ...COMMON_ENVIRONMENT,
    MMO_CAPACITY: String(type.capacity),
    MMO_CONTENT_TYPE: type.name,
    MMO_GRACE_SECONDS: String(type.graceSeconds),
    MMO_KIND: 'instance',
    MMO_LIFETIME_SECONDS: String(type.lifetimeMinutes * 60),
    MMO_ROOMS: String(type.rooms),
  };
}

/** Hash of a ConfigMap's data: the same for the same data, whatever the order of its keys. */
export function configHash(data: Readonly<Record<string, string>>): string {
  const sorted = Object.keys(data)
    .sort()
    .map((key) => [key, data[key]]);
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

/** Requests and the memory limit, which is the request unless the description says more. There is no CPU limit: throttling shows as lag. */
export function memoryLimitOf(resources: Resources): string {
  return resources.memoryLimit ?? resources.memory;
}
