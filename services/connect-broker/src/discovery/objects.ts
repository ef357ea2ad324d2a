/**
 * What the broker keeps of each Kubernetes object: a few fields, copied out, so that the object itself can go.
 * It deliberately joins nothing (kubernetes-view.ts) and asks nobody.
 */
import { GAME_PORTS, LABELS } from '../../../../lib/platform.ts';

/** Labels of GameServers that only the broker and Agones write; lib/platform.ts has those that manifests have as well. */
export const INSTANCE_LABELS = {
  /** Id of the instance that a GameServer was allocated for: set by the allocation, and what makes a repeated allocation find the same server. */
  instance: 'mmo/instance',
  /** Id of the instance whose players may enter now: set by the server as `session-ready`, which Agones prefixes. */
  ready: 'agones.dev/sdk-session-ready',
} as const;

interface Metadata {
  readonly name?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
}

/** Equal strings are kept once: ten thousand servers have one build and three nodes. Bounded, because labels come from outside. */
const shared = new Map<string, string>();
const MOST_SHARED = 10_000;
function share(text: string): string {
  const known = shared.get(text);
  if (known !== undefined) return known;
  if (shared.size < MOST_SHARED) shared.set(text, text);
  return text;
}
const sharedOr = (text: string | undefined): string | undefined => (text === undefined ? undefined : share(text));

export interface KeptStatefulSet {
  /** Pods that are wanted: 0 or 1. */
  readonly replicas: number;
}

export function keepStatefulSet(object: { readonly spec?: { readonly replicas?: number } }): KeptStatefulSet {
  return { replicas: object.spec?.replicas ?? 1 };
}

export interface KeptPod {
  readonly uid: string;
  readonly ip: string | undefined;
  readonly node: string | undefined;
  readonly ready: boolean;
  readonly deleting: boolean;
  /** Port of the game's container that the node publishes. */
  readonly hostPort: number | undefined;
  /** What connect tokens are made of; undefined when a label is missing or wrong. */
  readonly build: string | undefined;
  readonly protocolId: bigint | undefined;
  readonly keyGeneration: number | undefined;
}

interface Pod {
  readonly metadata?: Metadata;
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly {
      readonly ports?: readonly { readonly containerPort?: number; readonly hostPort?: number; readonly protocol?: string }[];
    }[];
  };
  readonly status?: {
    readonly podIP?: string;
    readonly phase?: string;
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  };
}

/** A pod that has ended (Succeeded, Failed) serves nobody and is left out. */
export function keepPod({ metadata, spec, status }: Pod): KeptPod | undefined {
  if (metadata?.uid === undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  const labels = metadata.labels ?? {};
  const port = spec?.containers
    ?.flatMap(({ ports = [] }) => ports)
    .find(({ containerPort, hostPort }) => containerPort === GAME_PORTS.game && hostPort !== undefined && hostPort > 0);
  return {
    uid: metadata.uid,
    ip: status?.podIP,
    node: sharedOr(spec?.nodeName),
    ready: status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false,
    deleting: metadata.deletionTimestamp !== undefined,
    hostPort: port?.hostPort,
    build: sharedOr(labels[LABELS.build]),
    protocolId: protocolIdOf(labels[LABELS.protocolId]),
    keyGeneration: generationOf(labels[LABELS.netcodeKeyGeneration]),
  };
}

/** Label values cannot hold a bare number larger than netcode's: `0x` and up to 16 digits. */
function protocolIdOf(label: string | undefined): bigint | undefined {
  if (label === undefined || !/^0x[0-9a-fA-F]{1,16}$/.test(label)) return undefined;
  const known = protocolIds.get(label) ?? BigInt(label);
  if (protocolIds.size < 100) protocolIds.set(label, known);
  return known;
}
const protocolIds = new Map<string, bigint>();

const generationOf = (label: string | undefined): number | undefined =>
  label !== undefined && /^[1-9][0-9]{0,8}$/.test(label) ? Number(label) : undefined;

export interface KeptService {
  readonly continent: string | undefined;
  readonly loadBalancer: boolean;
  /** Addresses that the load balancer announces, literals and host names. */
  readonly addresses: readonly string[];
  /** Port of the game. */
  readonly port: number | undefined;
}

interface Service {
  readonly metadata?: Metadata;
  readonly spec?: {
    readonly type?: string;
    readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: string }[];
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] } };
}

/** Only load balancers say where players dial; of the headless Services nothing is needed. */
export function keepService({ metadata, spec, status }: Service): KeptService | undefined {
  if (spec?.type !== 'LoadBalancer') return undefined;
  const datagrams = spec.ports?.filter(({ protocol }) => protocol === 'UDP') ?? [];
  return {
    continent: sharedOr(metadata?.labels?.[LABELS.continent]),
    loadBalancer: true,
    addresses: status?.loadBalancer?.ingress?.flatMap(({ ip, hostname }) => ip ?? hostname ?? []) ?? [],
    port: (datagrams.find(({ name }) => name === 'game') ?? datagrams[0])?.port,
  };
}

export interface KeptEndpoints {
  readonly service: string;
  /** Addresses of pods that get traffic, those that are on their way out included. */
  readonly serving: readonly string[];
}

interface EndpointSlice {
  readonly metadata?: Metadata;
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[];
    readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean };
  }[];
}

export function keepEndpoints({ metadata, endpoints }: EndpointSlice): KeptEndpoints | undefined {
  const service = metadata?.labels?.['kubernetes.io/service-name'];
  if (service === undefined) return undefined;
  return {
    service,
    // A condition that is not there counts as true (discovery/v1).
    serving:
      endpoints?.flatMap(({ addresses = [], conditions }) => ((conditions?.serving ?? conditions?.ready ?? true) ? addresses : [])) ?? [],
  };
}

export interface KeptGameServer {
  readonly uid: string;
  readonly contentType: string;
  readonly state: string;
  readonly instanceId: string | undefined;
  readonly readyFor: string | undefined;
  readonly createdAt: number;
  readonly node: string | undefined;
  /** What Agones found: the node's address as the cluster knows it. */
  readonly address: string | undefined;
  readonly port: number | undefined;
}

interface GameServer {
  readonly metadata?: Metadata;
  readonly status?: {
    readonly state?: string;
    readonly address?: string;
    readonly nodeName?: string;
    readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
  };
}

export function keepGameServer({ metadata, status }: GameServer): KeptGameServer | undefined {
  const labels = metadata?.labels ?? {};
  const contentType = labels[LABELS.contentType] ?? labels['agones.dev/fleet'];
  if (metadata?.uid === undefined || contentType === undefined) return undefined;
  const state = status?.state || 'Creating';
  return {
    uid: metadata.uid,
    contentType: share(contentType),
    // One that is being deleted keeps its last state until it is gone, but nobody should be sent there.
    state: share(metadata.deletionTimestamp !== undefined ? 'Shutdown' : state),
    instanceId: labels[INSTANCE_LABELS.instance],
    readyFor: labels[INSTANCE_LABELS.ready],
    createdAt: Date.parse(metadata.creationTimestamp ?? '') || 0,
    node: sharedOr(status?.nodeName),
    address: sharedOr(status?.address || undefined),
    port: (status?.ports?.find(({ name }) => name === 'game') ?? status?.ports?.[0])?.port,
  };
}

export interface KeptFleet {
  readonly replicas: number;
  readonly ready: number;
  readonly allocated: number;
}

export function keepFleet(object: {
  readonly status?: { readonly replicas?: number; readonly readyReplicas?: number; readonly allocatedReplicas?: number };
}): KeptFleet {
  const { replicas = 0, readyReplicas = 0, allocatedReplicas = 0 } = object.status ?? {};
  return { replicas, ready: readyReplicas, allocated: allocatedReplicas };
}
