/**
 * Kubernetes objects as the cluster's manifests and their controllers make them, for tests: a world, its Service, an instance.
 * It deliberately has more fields than the broker keeps, as real ones do.
 */
import type { FakeObject } from './fake-api.ts';

export const REALM_NAMESPACE = 'realm-aurora';
export const PATHS = {
  statefulSets: `/apis/apps/v1/namespaces/${REALM_NAMESPACE}/statefulsets`,
  pods: `/api/v1/namespaces/${REALM_NAMESPACE}/pods`,
  services: `/api/v1/namespaces/${REALM_NAMESPACE}/services`,
  endpoints: `/apis/discovery.k8s.io/v1/namespaces/${REALM_NAMESPACE}/endpointslices`,
  instancePods: '/api/v1/namespaces/instances/pods',
  fleets: '/apis/agones.dev/v1/namespaces/instances/fleets',
  gameServers: '/apis/agones.dev/v1/namespaces/instances/gameservers',
  allocations: '/apis/allocation.agones.dev/v1/namespaces/instances/gameserverallocations',
  tokenReviews: '/apis/authentication.k8s.io/v1/tokenreviews',
} as const;

const worldLabels = (continent: string) => ({ 'app.kubernetes.io/name': 'game-server', 'mmo/realm': 'aurora', 'mmo/continent': continent });
const running = {
  'mmo/build': '0.4.2',
  'mmo/game-server': 'true',
  'mmo/netcode-key-generation': '1',
  'mmo/protocol-id': '0x4d4d4f0000000001',
};

export function statefulSet(continent: string, replicas?: number): FakeObject {
  return {
    kind: 'StatefulSet',
    metadata: { name: continent, namespace: REALM_NAMESPACE, uid: `sts-${continent}`, labels: worldLabels(continent) },
    spec: { serviceName: continent, ...(replicas === undefined ? {} : { replicas }) },
    status: { replicas: 1 },
  };
}

export interface PodOptions {
  readonly uid?: string;
  readonly ip?: string | undefined;
  readonly node?: string;
  readonly ready?: boolean;
  readonly deleting?: boolean;
  readonly phase?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly hostPort?: number;
}

function pod(name: string, namespace: string, labels: Record<string, string>, options: PodOptions): FakeObject {
  const ip = 'ip' in options ? options.ip : '10.42.0.7';
  return {
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: options.uid ?? `pod-${name}`,
      labels: { ...labels, ...running, ...options.labels },
      ...(options.deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: {
      nodeName: options.node ?? 'node-1',
      containers: [
        {
          name: 'game',
          ports: [
            {
              name: 'game',
              containerPort: 7777,
              protocol: 'UDP',
              ...(options.hostPort === undefined ? {} : { hostPort: options.hostPort }),
            },
            { name: 'status', containerPort: 7780, protocol: 'TCP' },
          ],
        },
      ],
    },
    status: {
      phase: options.phase ?? 'Running',
      ...(ip === undefined ? {} : { podIP: ip }),
      conditions: [{ type: 'Ready', status: (options.ready ?? true) ? 'True' : 'False' }],
    },
  };
}

export const worldPod = (continent: string, options: PodOptions = {}): FakeObject =>
  pod(`${continent}-0`, REALM_NAMESPACE, worldLabels(continent), options);

export function publicService(continent: string, addresses: readonly object[] = [{ ip: '192.168.1.245' }], port = 40_000): FakeObject {
  return {
    kind: 'Service',
    metadata: { name: `${continent}-public`, namespace: REALM_NAMESPACE, labels: worldLabels(continent) },
    spec: { type: 'LoadBalancer', ports: [{ name: 'game', port, protocol: 'UDP', targetPort: 'game' }] },
    status: { loadBalancer: { ingress: addresses } },
  };
}

export function headlessService(continent: string): FakeObject {
  return {
    kind: 'Service',
    metadata: { name: continent, namespace: REALM_NAMESPACE, labels: worldLabels(continent) },
    spec: { type: 'ClusterIP', clusterIP: 'None', ports: [{ name: 'status', port: 7780, protocol: 'TCP' }] },
  };
}

export function endpoints(service: string, addresses: readonly string[], serving = true): FakeObject {
  return {
    kind: 'EndpointSlice',
    metadata: { name: `${service}-x1`, namespace: REALM_NAMESPACE, labels: { 'kubernetes.io/service-name': service } },
    endpoints: addresses.length === 0 ? [] : [{ addresses, conditions: { ready: serving, serving, terminating: false } }],
  };
}

export interface GameServerOptions {
  readonly state?: string;
  readonly uid?: string;
  readonly instance?: string;
  readonly readyFor?: string;
  readonly port?: number;
  readonly node?: string;
  readonly createdAt?: string;
  readonly contentType?: string;
}

export function gameServer(name: string, options: GameServerOptions = {}): FakeObject {
  const contentType = options.contentType ?? 'dungeon';
  return {
    kind: 'GameServer',
    metadata: {
      name,
      namespace: 'instances',
      uid: options.uid ?? `gs-${name}`,
      creationTimestamp: options.createdAt ?? '2026-01-01T00:00:00Z',
      labels: {
        'agones.dev/fleet': contentType,
        'mmo/content-type': contentType,
        ...running,
        ...(options.instance === undefined ? {} : { 'mmo/instance': options.instance }),
        ...(options.readyFor === undefined ? {} : { 'agones.dev/sdk-session-ready': options.readyFor }),
      },
    },
    spec: { ports: [{ name: 'game', containerPort: 7777, hostPort: options.port ?? 7001 }] },
    status: {
      state: options.state ?? 'Ready',
      address: '192.168.1.11',
      nodeName: options.node ?? 'node-1',
      ports: [{ name: 'game', port: options.port ?? 7001 }],
    },
  };
}

export const instancePod = (name: string, options: PodOptions = {}): FakeObject =>
  pod(name, 'instances', { 'mmo/content-type': 'dungeon', 'agones.dev/gameserver': name }, { ip: '10.42.0.9', ...options });

export function fleet(contentType: string, replicas: number, ready: number, allocated: number): FakeObject {
  return {
    kind: 'Fleet',
    metadata: { name: contentType, namespace: 'instances', labels: { 'mmo/content-type': contentType } },
    status: { replicas, readyReplicas: ready, allocatedReplicas: allocated, reservedReplicas: 0 },
  };
}
