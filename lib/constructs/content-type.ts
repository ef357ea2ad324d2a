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
import { FleetAutoscaler, FleetAutoscalerSpecPolicyType, FleetAutoscalerSpecSyncType } from '../../imports/autoscaling.agones.dev';
import { BROKER_AUTOSCALER_PATH } from '../broker-contract';
import { type BuildContext, labels } from '../component';
import { add, type PlainObject } from '../emit/manifest';
import { CONFIG_HASH_ANNOTATION, configHash, GAME_FILES, instanceEnvironment, memoryLimitOf, POD_ENVIRONMENT } from '../game-contract';
import { KubeConfigMap } from '../k8s';
import type { ContentType } from '../model/cluster';
import type { PlainScaling } from '../model/description';
import { BROKER_AUDIENCE, BROKER_AUTOSCALER_URL, GAME_PORTS, LABELS, NAMESPACES } from '../platform';
import { generationKey, instanceKeyIdentity, instanceKeySecret, keyGenerations, netcodeKey } from './netcode-keys';
import { placedPod } from './placement';
import { PRIORITY } from './priority';

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
  const { manifest: fleet } = add(chart, Fleet, {
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
              priorityClassName: PRIORITY.instance,
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
  // Set as data, like a world's.
  Object.assign(fleet.spec.template.spec.template.spec, placedPod(type.placement, cluster.network.instanceNode));
  const { manifest: autoscaler } = add(chart, FleetAutoscaler, {
    metadata,
    spec: {
      fleetName: type.name,
      policy: { type: FleetAutoscalerSpecPolicyType.BUFFER },
      sync: { type: FleetAutoscalerSpecSyncType.FIXED_INTERVAL, fixedInterval: { seconds: AUTOSCALER_SECONDS } },
    },
  });
  // Set as data: the generated classes have the same policy three times over, by the place that it stands in; schemas check its shape.
  autoscaler.spec.policy = autoscalerPolicy(type);
}

const EVICTION = { Always: FleetSpecTemplateSpecEvictionSafe.ALWAYS, OnUpgrade: FleetSpecTemplateSpecEvictionSafe.ON_UPGRADE } as const;

/** Zero means "none" to Agones and is not emitted. */
function minimum<Key extends string>(key: Key, value: number): { [key in Key]?: number } {
  return value === 0 ? {} : ({ [key]: value } as { [key in Key]?: number });
}

/** A policy, or a link of a chain, as Agones writes it. */
type Policy = PlainObject['spec'];

function autoscalerPolicy(type: ContentType): Policy {
  const scaling = type.autoscaling;
  switch (scaling.policy) {
    case 'schedule':
      return {
        type: 'Chain',
        chain: [
          // The first that is open wins.
          ...scaling.windows.map((window) => ({ id: window.name, ...during(window, plainPolicy(type, { policy: 'buffer', ...window })) })),
          { id: OTHERWISE, ...plainPolicy(type, { policy: 'buffer', ...scaling.otherwise }) },
        ],
      };
    case 'chain':
      return {
        type: 'Chain',
        chain: scaling.links.map((link) => {
          const policy = plainPolicy(type, link.scaling);
          return { id: link.name, ...(link.during ? during(link.during, policy) : policy) };
        }),
      };
    default:
      return plainPolicy(type, scaling);
  }
}

/** No `between`: an end in the past fails Agones' validation and with it every later sync. */
function during(window: { readonly timeZone: string; readonly start: string; readonly duration: string }, policy: Policy): Policy {
  const { timeZone: timezone, start: startCron, duration } = window;
  return { type: 'Schedule', schedule: { activePeriod: { timezone, startCron, duration }, policy } };
}

function plainPolicy(type: ContentType, scaling: PlainScaling): Policy {
  switch (scaling.policy) {
    case 'buffer':
      return { type: 'Buffer', buffer: { bufferSize: scaling.ready, ...minimum('minReplicas', scaling.min), maxReplicas: scaling.max } };
    case 'counter':
      return { type: 'Counter', counter: { key: scaling.counter, ...counted(scaling, type.rooms) } };
    case 'list':
      return { type: 'List', list: { key: scaling.list, ...counted(scaling, type.capacity) } };
    case 'on-demand': {
      const { warm, max } = scaling;
      // An address, not a Service with a path: Agones escapes the question mark of a path. Without `min`, because zero is the point.
      const url = `${BROKER_AUTOSCALER_URL}${BROKER_AUTOSCALER_PATH}/${type.name}?${new URLSearchParams({ warm: String(warm), max: String(max) })}`;
      return { type: 'Webhook', webhook: { url } };
    }
  }
}

/** The description counts servers, Agones counts what they hold. */
function counted({ free, min, max }: { readonly free: number; readonly min: number; readonly max: number }, each: number) {
  return { bufferSize: free, ...minimum('minCapacity', min * each), maxCapacity: max * each };
}

/** Id of a schedule's last entry, which windows may not take: Agones refuses an id twice. */
const OTHERWISE = 'otherwise';
