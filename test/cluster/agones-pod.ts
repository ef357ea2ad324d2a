/**
 * The pod that Agones makes of a Fleet's template, as far as admission sees it: the sidecar, the host ports, the ServiceAccount.
 * It deliberately models the release that versions.ts pins, with its feature gates at their defaults (agones v1.59.0: `GameServer.Pod` in pkg/apis/agones/v1/gameserver.go,
 * `Controller.sidecar`, `createGameServerPod` and `addGameServerHealthCheck` in pkg/gameservers/controller.go).
 */
import type { PlainObject } from '../../lib/emit/manifest';

/** ServiceAccount that the chart makes in every namespace of game servers. */
export const AGONES_SERVICE_ACCOUNT = 'agones-sdk';

/** Admission looks at the use of host ports, not at which; the lowest of the cluster's range stands for all. */
export function gameServerPod(fleet: PlainObject, firstHostPort: number): PlainObject {
  const name = `${fleet.metadata.name}-abcde-fghij`;
  const gameServer = fleet.spec.template.spec;
  const { metadata, spec } = structuredClone(gameServer.template);
  const containerName = gameServer.container ?? spec.containers[0].name;
  const game = spec.containers.find((container: { name: string }) => container.name === containerName);

  game.ports = [
    ...(game.ports ?? []),
    ...(gameServer.ports ?? []).map((port: { containerPort: number; protocol?: string; portPolicy?: string }, index: number) => ({
      containerPort: port.containerPort,
      protocol: port.protocol ?? 'UDP',
      ...(port.portPolicy === 'None' ? {} : { hostPort: firstHostPort + index }),
    })),
  ];
  game.livenessProbe ??= { httpGet: { path: '/gshealthz', port: 8080 }, initialDelaySeconds: 5, periodSeconds: 5, failureThreshold: 5 };
  game.env = [...(game.env ?? []), { name: 'AGONES_SDK_GRPC_PORT', value: '9357' }, { name: 'AGONES_SDK_HTTP_PORT', value: '9358' }];

  // "Opinionated" mode: without a ServiceAccount of its own, the sidecar gets one and the game an empty folder over its token.
  if (spec.serviceAccountName === undefined) {
    spec.serviceAccountName = AGONES_SERVICE_ACCOUNT;
    spec.volumes = [...(spec.volumes ?? []), { name: 'empty', emptyDir: {} }];
    game.volumeMounts = [
      ...(game.volumeMounts ?? []),
      { mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', name: 'empty', readOnly: true },
    ];
  }
  spec.initContainers = [SIDECAR, ...(spec.initContainers ?? [])];
  spec.restartPolicy ??= 'Never';
  spec.hostname ??= name;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name,
      namespace: fleet.metadata.namespace,
      labels: { ...metadata?.labels, 'agones.dev/role': 'gameserver', 'agones.dev/gameserver': name, 'agones.dev/safe-to-evict': 'false' },
      annotations: { ...metadata?.annotations, 'agones.dev/container': containerName },
    },
    spec,
  };
}

/** A native sidecar (an init container that keeps running). It drops no capabilities, which alone makes `restricted` impossible for its namespace. */
const SIDECAR = {
  name: 'agones-gameserver-sidecar',
  image: 'us-docker.pkg.dev/agones-images/release/agones-sdk:1.59.0',
  restartPolicy: 'Always',
  args: ['--grpc-port=9357', '--http-port=9358'],
  env: [
    { name: 'GAMESERVER_NAME', value: 'test' },
    { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
  ],
  resources: { requests: { cpu: '30m' } },
  livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, initialDelaySeconds: 3, periodSeconds: 3 },
  securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 1000 },
};
