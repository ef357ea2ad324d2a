/**
 * One content type: the Fleet of its servers, the FleetAutoscaler, the configuration and the netcode key.
 * It deliberately allocates nothing and counts nothing: the broker allocates through the Kubernetes API, and Agones keeps the number of servers.
 */
import { basename, dirname } from 'node:path/posix';
import type { Chart } from 'cdk8s';
import {
  Fleet,
  FleetSpecScheduling,
  FleetSpecTemplateSpecEvictionSafe,
  FleetSpecTemplateSpecTemplateSpecSecurityContextSeccompProfileType,
} from '../../imports/agones.dev';
import {
  FleetAutoscaler,
  type FleetAutoscalerSpecPolicy,
  FleetAutoscalerSpecPolicyBufferBufferSize,
  FleetAutoscalerSpecPolicyChainBufferBufferSize,
  FleetAutoscalerSpecPolicyChainSchedulePolicyBufferBufferSize,
  FleetAutoscalerSpecPolicyChainSchedulePolicyType,
  FleetAutoscalerSpecPolicyChainType,
  FleetAutoscalerSpecPolicyCounterBufferSize,
  FleetAutoscalerSpecPolicyType,
  FleetAutoscalerSpecSyncType,
} from '../../imports/autoscaling.agones.dev';
import { BROKER_AUTOSCALER_PATH } from '../broker-contract';
import { type BuildContext, labels } from '../component';
import { add } from '../emit/manifest';
import { CONFIG_HASH_ANNOTATION, configHash, GAME_FILES, instanceEnvironment, memoryLimitOf, POD_ENVIRONMENT } from '../game-contract';
import { KubeConfigMap } from '../k8s';
import type { ContentType } from '../model/cluster';
import { BROKER_AUDIENCE, BROKER_INTERNAL_URL, GAME_PORTS, LABELS, NAMESPACES } from '../platform';
import { generationKey, instanceKeyIdentity, instanceKeySecret, keyGenerations, netcodeKey } from './netcode-keys';

/** The Counter of every content type: sessions that a server holds at once. */
export const ROOMS_COUNTER = 'rooms';
/** The List of every content type: players on a server. */
export const PLAYERS_LIST = 'players';
/** Label that Agones puts on allocated servers of an old build or above the wanted number: finish the session, take no new one, shut down. */
export const DRAINING_LABEL = 'mmo/draining';

/** Seconds between two looks of an autoscaler. Agones' 30 would let a player wait that long for a server that only has to be asked for. */
const AUTOSCALER_SECONDS = 5;

/** Adds everything of one content type. */
export function addContentType(chart: Chart, context: BuildContext, type: ContentType): void {
  const { cluster } = context;
  const namespace = NAMESPACES.instances;
  const own = { [LABELS.contentType]: type.name };
  const data = instanceEnvironment(type);
  const generation = generationKey(type.netcodeKeyGeneration);
  // On the GameServer, where the broker selects, and on its pod, where policies and monitors do.
  const running = labels('game-server', 'instance', {
    ...own,
    [LABELS.gameServer]: 'true',
    [LABELS.build]: cluster.game.build,
    [LABELS.protocolId]: cluster.game.protocolId,
    [LABELS.netcodeKeyGeneration]: String(type.netcodeKeyGeneration),
  });
  const metadata = { name: type.name, namespace, labels: labels('game-server', 'instance', own) };

  add(chart, KubeConfigMap, { metadata, data });
  context.secret(chart, {
    namespace,
    name: instanceKeySecret(type.name),
    keys: Object.fromEntries(
      keyGenerations(type.netcodeKeyGeneration).map((each) => [generationKey(each), netcodeKey(instanceKeyIdentity(type, each))]),
    ),
    purpose: `netcode keys of '${type.name}': whoever has them can make tokens for its instances`,
  });
  add(chart, Fleet, {
    metadata,
    // No replicas: they are the autoscaler's, and Git's number would win for a moment at every sync.
    spec: {
      // Packed, the default, only helps where empty nodes can be given back.
      scheduling: FleetSpecScheduling.DISTRIBUTED,
      allocationOverflow: { labels: { [DRAINING_LABEL]: 'true' } },
      template: {
        metadata: { labels: running },
        spec: {
          // Policy Dynamic and protocol UDP are Agones' defaults: a host port out of the cluster's range.
          ports: [{ name: 'game', containerPort: GAME_PORTS.game }],
          // A server binds its port and loads before it can answer; after that Agones' own 5 s, three times, hold.
          health: { initialDelaySeconds: 30 },
          counters: { [ROOMS_COUNTER]: { capacity: type.rooms } },
          lists: { [PLAYERS_LIST]: { capacity: type.capacity } },
          ...(type.eviction === 'Never' ? {} : { eviction: { safe: EVICTION[type.eviction] } }),
          template: {
            metadata: { labels: running, annotations: { [CONFIG_HASH_ANNOTATION]: configHash(data) } },
            spec: {
              // Neither serviceAccountName nor automountServiceAccountToken: Agones' sidecar calls the API as agones-sdk, which Agones sets only where nothing
              // is written, and hides that token from the game's container. No probes either: Agones adds its own (the SDK's health check and Ready).
              enableServiceLinks: false,
              ...(cluster.network.instanceNode ? { nodeSelector: { 'kubernetes.io/hostname': cluster.network.instanceNode } } : {}),
              ...(type.graceSeconds === 30 ? {} : { terminationGracePeriodSeconds: type.graceSeconds }),
              securityContext: {
                runAsNonRoot: true,
                runAsUser: cluster.game.user,
                runAsGroup: cluster.game.user,
                fsGroup: cluster.game.user,
                seccompProfile: { type: FleetSpecTemplateSpecTemplateSpecSecurityContextSeccompProfileType.RUNTIME_DEFAULT },
              },
              containers: [
                {
                  name: 'game',
                  image: cluster.game.image,
                  // The game port is not here: Agones adds it, with the host port.
                  ports: [
                    { name: 'status', containerPort: GAME_PORTS.status },
                    { name: 'metrics', containerPort: GAME_PORTS.metrics },
                  ],
                  envFrom: [{ configMapRef: { name: type.name } }],
                  env: Object.entries(POD_ENVIRONMENT).map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { fieldPath } } })),
                  resources: {
                    requests: { cpu: type.resources.cpu, memory: type.resources.memory },
                    limits: { memory: memoryLimitOf(type.resources) },
                  },
                  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
                  volumeMounts: [
                    { name: 'netcode-key', mountPath: dirname(GAME_FILES.netcodeKey), readOnly: true },
                    { name: 'broker-token', mountPath: dirname(GAME_FILES.brokerToken), readOnly: true },
                    { name: 'tmp', mountPath: GAME_FILES.temporary },
                  ],
                },
              ],
              volumes: [
                {
                  name: 'netcode-key',
                  secret: {
                    secretName: instanceKeySecret(type.name),
                    items: [{ key: generation, path: basename(GAME_FILES.netcodeKey) }],
                    defaultMode: 0o440,
                  },
                },
                {
                  name: 'broker-token',
                  projected: {
                    sources: [{ serviceAccountToken: { audience: BROKER_AUDIENCE, path: basename(GAME_FILES.brokerToken) } }],
                  },
                },
                { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
              ],
            },
          },
        },
      },
    },
  });
  add(chart, FleetAutoscaler, {
    metadata,
    spec: {
      fleetName: type.name,
      policy: autoscalerPolicy(type),
      sync: { type: FleetAutoscalerSpecSyncType.FIXED_INTERVAL, fixedInterval: { seconds: AUTOSCALER_SECONDS } },
    },
  });
}

const EVICTION = { Always: FleetSpecTemplateSpecEvictionSafe.ALWAYS, OnUpgrade: FleetSpecTemplateSpecEvictionSafe.ON_UPGRADE } as const;

/** Zero means "none" to Agones and is not emitted. */
function minimum<Key extends string>(key: Key, value: number): { [key in Key]?: number } {
  return value === 0 ? {} : ({ [key]: value } as { [key in Key]?: number });
}

function autoscalerPolicy(type: ContentType): FleetAutoscalerSpecPolicy {
  const scaling = type.autoscaling;
  switch (scaling.policy) {
    case 'buffer':
      return {
        type: FleetAutoscalerSpecPolicyType.BUFFER,
        buffer: {
          bufferSize: sized(FleetAutoscalerSpecPolicyBufferBufferSize, scaling.ready),
          ...minimum('minReplicas', scaling.min),
          maxReplicas: scaling.max,
        },
      };
    case 'counter':
      return {
        type: FleetAutoscalerSpecPolicyType.COUNTER,
        counter: {
          key: scaling.counter,
          bufferSize: FleetAutoscalerSpecPolicyCounterBufferSize.fromNumber(scaling.free),
          // The description counts servers, Agones counts what they hold.
          ...minimum('minCapacity', scaling.min * type.rooms),
          maxCapacity: scaling.max * type.rooms,
        },
      };
    case 'on-demand': {
      const { warm, max } = scaling;
      // An address, not a Service with a path: Agones escapes the question mark of a path. Without `min`, because zero is the point.
      const url = `${BROKER_INTERNAL_URL}${BROKER_AUTOSCALER_PATH}/${type.name}?${new URLSearchParams({ warm: String(warm), max: String(max) })}`;
      return { type: FleetAutoscalerSpecPolicyType.WEBHOOK, webhook: { url } };
    }
    case 'schedule':
      return {
        type: FleetAutoscalerSpecPolicyType.CHAIN,
        chain: [
          // The first that is open wins. No `between`: an end in the past fails Agones' validation and with it every later sync.
          ...scaling.windows.map((window) => ({
            id: window.name,
            type: FleetAutoscalerSpecPolicyChainType.SCHEDULE,
            schedule: {
              activePeriod: { timezone: window.timeZone, startCron: window.start, duration: window.duration },
              policy: {
                type: FleetAutoscalerSpecPolicyChainSchedulePolicyType.BUFFER,
                buffer: {
                  bufferSize: sized(FleetAutoscalerSpecPolicyChainSchedulePolicyBufferBufferSize, window.ready),
                  ...minimum('minReplicas', window.min),
                  maxReplicas: window.max,
                },
              },
            },
          })),
          {
            id: OTHERWISE,
            type: FleetAutoscalerSpecPolicyChainType.BUFFER,
            buffer: {
              bufferSize: sized(FleetAutoscalerSpecPolicyChainBufferBufferSize, scaling.otherwise.ready),
              ...minimum('minReplicas', scaling.otherwise.min),
              maxReplicas: scaling.otherwise.max,
            },
          },
        ],
      };
  }
}

/** Id of the chain's last entry, which windows may not take: Agones refuses an id twice. */
export const OTHERWISE = 'otherwise';

function sized<Size>(type: { fromNumber(value: number): Size; fromString(value: string): Size }, value: number | string): Size {
  return typeof value === 'number' ? type.fromNumber(value) : type.fromString(value);
}
