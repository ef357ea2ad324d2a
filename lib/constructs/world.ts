/**
 * One persistent world: the StatefulSet of one continent, with its volume, and the ConfigMap that it runs with.
 * It deliberately holds only what restarts with the world; Services, keys, rights and budgets are the realm's (realm.ts), in another Application.
 */
import { basename, dirname } from 'node:path/posix';
import type { Chart } from 'cdk8s';
import { labels, PROTECTED, syncWave } from '../component';
import { add } from '../emit/manifest';
import { share } from '../emit/shared';
import {
  CONFIG_HASH_ANNOTATION,
  configHash,
  GAME_FILES,
  memoryLimitOf,
  POD_ENVIRONMENT,
  STARTUP,
  STATUS_PATHS,
  worldEnvironment,
} from '../game-contract';
import { IntOrString, KubeConfigMap, KubePod, type PodSpec, type Probe, Quantity } from '../k8s';
import type { Cluster, Continent, Realm } from '../model/cluster';
import { BROKER_AUDIENCE, GAME_PORTS, LABELS } from '../platform';
import { generationKey, REALM_KEY_SECRET } from './netcode-keys';
import { placedPod } from './placement';
import { PRIORITY } from './priority';
import { StatefulSet } from './stateful-set';

/** Name of the claim template; the claim of a continent is `world-<continent>-0`. */
export const WORLD_CLAIM = 'world';

/** Annotation by which a claim opts in to volume backups; K8up is told to skip claims without it. */
export const BACKUP_ANNOTATION = 'k8up.io/backup';

/** Labels that select the one pod of a continent: by name and never by ordinal, and without a version, because selectors are immutable. */
export function worldSelector(realm: Realm, continent: Continent): Record<string, string> {
  return { [LABELS.realm]: realm.name, [LABELS.continent]: continent.name };
}

/** Whether the realm's worlds are updated one after the other, by the order of its continents. */
export function isOrdered({ updates }: Realm): boolean {
  return updates.strategy === 'one-continent-at-a-time' || updates.strategy === 'canary-first';
}

/** Seconds that the turns of a realm's worlds may take: each stops and loads as long as it may, and the canary soaks. 0 where they take no turns. */
export function turnsSeconds(cluster: Cluster, realm: Realm): number {
  if (!isOrdered(realm)) return 0;
  const active = realm.continents.filter(({ state }) => state === 'active').length;
  const soak = realm.updates.strategy === 'canary-first' ? realm.updates.soakMinutes * 60 : 0;
  return active * (cluster.worldGraceSeconds + STARTUP.periodSeconds * STARTUP.failureThreshold) + soak;
}

/** Whether a continent is the one that is updated first and alone. */
function isCanary(realm: Realm, continent: Continent): boolean {
  const orders = realm.continents.filter(({ state }) => state === 'active').map(({ order }) => order ?? Number.POSITIVE_INFINITY);
  return continent.state === 'active' && continent.order === Math.min(...orders);
}

/**
 * Adds the workload of one continent.
 * @param common what `commonPod` says for the cluster
 */
export function addWorld(chart: Chart, cluster: Cluster, realm: Realm, continent: Continent, common: CommonPod): void {
  const selector = worldSelector(realm, continent);
  const data = worldEnvironment(cluster, realm, continent);
  // A retired world takes part in no update: it is stopped first.
  const wave = isOrdered(realm) && continent.order !== undefined && continent.state === 'active' ? syncWave(continent.order) : {};
  add(chart, KubeConfigMap, {
    metadata: {
      name: continent.name,
      namespace: realm.namespace,
      labels: labels('game-server', 'world', selector),
      // In the world's own wave: a world that crashed before its turn must not start with what is meant for the next build.
      ...(Object.keys(wave).length > 0 ? { annotations: wave } : {}),
    },
    data,
  });
  const { manifest } = add(chart, StatefulSet, {
    metadata: {
      name: continent.name,
      namespace: realm.namespace,
      labels: labels('game-server', 'world', selector),
      annotations: { ...PROTECTED, ...wave },
    },
    spec: {
      // One replica is the API's default, and not in Git, so that a realm that may sleep is the broker's to scale. Zero is written for a retired world, whose volume stays.
      ...(continent.state === 'retired' ? { replicas: 0 } : {}),
      selector: { matchLabels: selector },
      serviceName: continent.name,
      // RollingUpdate is the default: a merged change announces, saves and restarts the world.
      ...(realm.updates.strategy === 'on-delete' ? { updateStrategy: { type: 'OnDelete' } } : {}),
      // Ready for as long before it counts as available, for which our health check waits, and with it the next wave.
      ...(isCanary(realm, continent) && realm.updates.strategy === 'canary-first'
        ? { minReadySeconds: realm.updates.soakMinutes * 60 }
        : {}),
      // With ordered management a pod that never becomes ready blocks the rollout of the commit that repairs it (kubernetes#67250); one replica has no order to keep.
      podManagementPolicy: 'Parallel',
      // Said although it is the default, because all that a world is depends on it.
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: {
        metadata: {
          labels: labels('game-server', 'world', {
            ...selector,
            [LABELS.gameServer]: 'true',
            [LABELS.build]: cluster.game.build,
            [LABELS.protocolId]: cluster.game.protocolId,
            [LABELS.netcodeKeyGeneration]: String(realm.netcodeKeyGeneration),
          }),
          annotations: { [CONFIG_HASH_ANNOTATION]: configHash(data), 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
        },
      },
      volumeClaimTemplates: [
        {
          // Complete from the first day, because none of it can be changed later: the annotation too, which means nothing where there is no K8up.
          metadata: { name: WORLD_CLAIM, labels: selector, annotations: { ...PROTECTED, [BACKUP_ANNOTATION]: 'true' } },
          spec: {
            accessModes: ['ReadWriteOnce'],
            ...(cluster.storage.class ? { storageClassName: cluster.storage.class } : {}),
            volumeMode: 'Filesystem',
            resources: { requests: { storage: Quantity.fromString(continent.storage) } },
          },
        },
      ],
    },
  });
  // Set as data: nearly all of it is the same for every world, and is converted once.
  manifest.spec.template.spec = podOf(realm, continent, common);
}

/** The pod of every world of a cluster, but for what is the world's own. */
export function commonPod(cluster: Cluster): CommonPod {
  const probe = statusProbe(STATUS_PATHS.ready);
  const spec: PodSpec = {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    priorityClassName: PRIORITY.world,
    terminationGracePeriodSeconds: cluster.worldGraceSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: cluster.game.user,
      runAsGroup: cluster.game.user,
      fsGroup: cluster.game.user,
      // Without it the kubelet walks the whole volume at each start: minutes for a big world.
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'game',
        image: cluster.game.image,
        ports: [
          { name: 'game', containerPort: GAME_PORTS.game, protocol: 'UDP' },
          { name: 'status', containerPort: GAME_PORTS.status },
          { name: 'metrics', containerPort: GAME_PORTS.metrics },
        ],
        env: Object.entries(POD_ENVIRONMENT).map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { fieldPath } } })),
        startupProbe: { ...probe, ...STARTUP },
        readinessProbe: { ...probe, periodSeconds: 5 },
        // Patient: a kill loses what was played since the last save. A world that does not answer for a minute is hung.
        livenessProbe: { ...statusProbe(STATUS_PATHS.alive), timeoutSeconds: 5, failureThreshold: 6 },
        // The kubelet sends SIGTERM when the announcement is over, and that is the order to save and to exit.
        ...(cluster.game.announceSeconds > 0
          ? {
              lifecycle: {
                preStop: {
                  httpGet: {
                    path: `${STATUS_PATHS.announce}?seconds=${cluster.game.announceSeconds}`,
                    port: IntOrString.fromString('status'),
                  },
                },
              },
            }
          : {}),
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        volumeMounts: [
          { name: WORLD_CLAIM, mountPath: GAME_FILES.world },
          { name: 'netcode-key', mountPath: dirname(GAME_FILES.netcodeKey), readOnly: true },
          { name: 'broker-token', mountPath: dirname(GAME_FILES.brokerToken), readOnly: true },
          { name: 'tmp', mountPath: GAME_FILES.temporary },
        ],
      },
    ],
    volumes: [
      // The kubelet renews it; it lives for an hour, the API's default.
      {
        name: 'broker-token',
        projected: { sources: [{ serviceAccountToken: { audience: BROKER_AUDIENCE, path: basename(GAME_FILES.brokerToken) } }] },
      },
      { name: 'tmp', emptyDir: { sizeLimit: Quantity.fromString('64Mi') } },
    ],
  };
  return share(KubePod.manifest({ spec }).spec);
}

/** A pod's spec as plain data. */
// biome-ignore lint/suspicious/noExplicitAny: schemas check its shape before anything is written.
export type CommonPod = Readonly<Record<string, any>>;

/** The common pod with the world's own identity, place, resources and key. */
function podOf(realm: Realm, continent: Continent, common: CommonPod): CommonPod {
  const [game] = common.containers;
  const onNode = realm.exposure.type === 'host-port';
  const { cpu, memory } = continent.resources;
  return {
    ...common,
    serviceAccountName: continent.name,
    ...placedPod(continent.placement, continent.node),
    ...(continent.node !== undefined
      ? {}
      : {
          // Soft: a home with one node is a valid cluster, and a world on a crowded node is better than none.
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: { [LABELS.gameServer]: 'true', [LABELS.realm]: realm.name } },
            },
          ],
        }),
    containers: [
      {
        ...game,
        ...(onNode ? { ports: [{ ...game.ports[0], hostPort: continent.port }, ...game.ports.slice(1)] } : {}),
        envFrom: [{ configMapRef: { name: continent.name } }],
        resources: { requests: { cpu, memory }, limits: { memory: memoryLimitOf(continent.resources) } },
      },
    ],
    volumes: [
      // Only the generation of this pod, readable by its group alone.
      {
        name: 'netcode-key',
        secret: {
          secretName: REALM_KEY_SECRET,
          items: [{ key: generationKey(realm.netcodeKeyGeneration), path: basename(GAME_FILES.netcodeKey) }],
          defaultMode: 0o440,
        },
      },
      ...common.volumes,
    ],
  };
}

function statusProbe(path: string): Probe {
  return { httpGet: { path, port: IntOrString.fromString('status') } };
}
