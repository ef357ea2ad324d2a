/**
 * Argo CD, managed by itself: the bootstrap installs this version with these values, and from then on this Application keeps them.
 * The chart leaves out ServiceMonitors where their CRDs are not there yet, so that the same values fit a bare cluster.
 */

import { turnsSeconds } from '../../lib/constructs/world';
import type { FlowPort } from '../../lib/flows';
import { isIPv4 } from '../../lib/model/addresses';
import type { Cluster } from '../../lib/model/cluster';
import { LABELS } from '../../lib/platform';
import { healthCustomizations } from '../health';
import type { ProvidedPods, ProvidedService, UpstreamChart } from './types';
import { scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'argocd';

/**
 * A sync that hangs holds up the commit that repairs it, so it is ended after an hour. Not sooner: the clock covers all waves and retries of the root, and a first
 * install pulls every image over a home's line; one that was ended starts again with the next commit only. So it is longer where worlds that are updated in turns
 * may take longer, in whole hours: the worlds after the one that was under way would keep the old build.
 */
export function syncTimeoutSeconds(cluster: Cluster): number {
  const turns = Math.max(0, ...cluster.realms.map((realm) => turnsSeconds(cluster, realm)));
  return Math.max(1, Math.ceil(turns / 3600)) * 3600;
}

export const argoCd: UpstreamChart = {
  name: 'argo-cd',
  project: 'platform',
  chart: 'argo-cd',
  namespace: NAMESPACE,
  summary: 'Keeps the cluster as Git describes it, itself included.',
  values: (cluster) => ({
    // The names that Argo CD's documentation uses: argocd-server and not argo-cd-argocd-server.
    fullnameOverride: 'argocd',
    global: {
      domain: cluster.hosts.argocd,
      // Ours follow from the flows and deny what was not declared.
      networkPolicy: { create: false },
    },
    // Deleting the CRDs would delete every Application.
    crds: { annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false' } },
    configs: {
      params: {
        // Traefik terminates TLS.
        'server.insecure': true,
        // Read at the controller's start only. Judges drift as the API server would apply it, defaults and webhooks included.
        'controller.diff.server.side': true,
        'controller.sync.timeout.seconds': syncTimeoutSeconds(cluster),
      },
      cm: {
        ...healthCustomizations(),
        // Quantities in a Fleet's pod template are compared as quantities: 1 is 1000m.
        'resource.customizations.knownTypeFields.agones.dev_Fleet':
          '- field: spec.template.spec.template\n  type: core/v1/PodTemplateSpec\n',
        // The autoscaler's field. Git leaves it out; this keeps a hand-written number from becoming a tug-of-war.
        'resource.customizations.ignoreDifferences.agones.dev_Fleet': 'jsonPointers:\n  - /spec/replicas\n',
      },
    },
    controller: {
      resources: { requests: { cpu: '100m', memory: '384Mi' }, limits: { memory: '1Gi' } },
      // The label becomes a metric, so that the alert about drift knows who waits for a window.
      metrics: { ...metrics(), applicationLabels: { enabled: true, labels: [LABELS.syncWindow] } },
    },
    repoServer: {
      // It renders charts and reads Git: it has no business with the API server.
      automountServiceAccountToken: false,
      resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
      copyutil: { resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } } },
      metrics: metrics(),
    },
    server: {
      resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '256Mi' } },
      metrics: metrics(),
    },
    redis: {
      automountServiceAccountToken: false,
      resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    },
    redisSecretInit: { resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } } },
    // No single sign-on, no messages, no ApplicationSets (mass deletion by them is an open bug: argo-cd#9227).
    dex: { enabled: false },
    notifications: { enabled: false },
    // The chart has no switch for it: no replicas, no process.
    applicationSet: { replicas: 0, resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } } },
  }),
  needs: () => ['namespaces', 'prometheus-operator-crds'],
  // Both become ConfigMaps as they are.
  freeValues: ['configs.cm', 'configs.params'],
  acceptedHooks: {
    'ServiceAccount/argocd-redis-secret-init': 'For the Job below.',
    'Role/argocd-redis-secret-init': 'For the Job below.',
    'RoleBinding/argocd-redis-secret-init': 'For the Job below.',
    'Job/argocd-redis-secret-init':
      "Makes Redis' password in the cluster, once, and leaves an existing one alone: no secret is rendered, and it must exist before Sealed Secrets does. Argo CD runs it before each sync of itself (PreSync) and removes it after a minute.",
  },
  provides: () => ({
    crds: ['applications.argoproj.io', 'applicationsets.argoproj.io', 'appprojects.argoproj.io'],
    services: [
      service('argocd-applicationset-controller', { name: 'http-webhook', port: 7000 }),
      service('argocd-redis', { name: 'redis', port: 6379 }),
      service('argocd-repo-server', { name: 'tcp-repo-server', port: 8081 }),
      service('argocd-server', { name: 'http', port: 80 }, { name: 'https', port: 443 }),
      metricsService('argocd-application-controller-metrics', 8082, 'argocd-metrics'),
      metricsService('argocd-repo-server-metrics', 8084),
      metricsService('argocd-server-metrics', 8083),
    ],
    pods: [
      pods('argocd-application-controller', 'StatefulSet', [{ name: 'metrics', port: 8082 }], 'argocd-application-controller'),
      pods(
        'argocd-applicationset-controller',
        'Deployment',
        [
          { name: 'metrics', port: 8080 },
          { name: 'probe', port: 8081 },
          { name: 'webhook', port: 7000 },
        ],
        'argocd-applicationset-controller',
      ),
      pods('argocd-redis', 'Deployment', [{ name: 'redis', port: 6379 }], 'default'),
      pods('argocd-redis-secret-init', 'Job', [], 'argocd-redis-secret-init'),
      pods(
        'argocd-repo-server',
        'Deployment',
        [
          { name: 'repo-server', port: 8081 },
          { name: 'metrics', port: 8084 },
        ],
        'argocd-repo-server',
      ),
      pods(
        'argocd-server',
        'Deployment',
        [
          { name: 'server', port: 8080 },
          { name: 'metrics', port: 8083 },
        ],
        'argocd-server',
      ),
    ],
    // Rendered empty; Argo CD's server writes the admin password's hash and its signing key into it.
    secrets: [`${NAMESPACE}/argocd-secret`],
    configMaps: [
      'argocd-cm',
      'argocd-cmd-params-cm',
      'argocd-gpg-keys-cm',
      'argocd-rbac-cm',
      'argocd-redis-health-configmap',
      'argocd-ssh-known-hosts-cm',
      'argocd-tls-certs-cm',
    ].map((name) => `${NAMESPACE}/${name}`),
    serviceAccounts: [
      'argocd-application-controller',
      'argocd-applicationset-controller',
      'argocd-redis-secret-init',
      'argocd-repo-server',
      'argocd-server',
    ].map((name) => `${NAMESPACE}/${name}`),
    clusterKinds: [
      'apiextensions.k8s.io/CustomResourceDefinition',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  flows: (cluster) => {
    const controller = workload('argo-cd', 'argocd-application-controller');
    const server = workload('argo-cd', 'argocd-server');
    const repoServer = workload('argo-cd', 'argocd-repo-server');
    const redis = workload('argo-cd', 'argocd-redis');
    return [
      toApiServer(cluster, controller, 'It compares and applies everything in the cluster.'),
      toApiServer(cluster, server, 'It reads Applications and shows live objects.'),
      toApiServer(cluster, workload('argo-cd', 'argocd-redis-secret-init'), "It makes the Secret with Redis' password."),
      { from: controller, to: repoServer, ports: [{ port: 8081 }], because: 'The controller asks it for rendered manifests.' },
      { from: server, to: repoServer, ports: [{ port: 8081 }], because: 'The web page shows rendered manifests.' },
      ...[controller, server, repoServer].map((from) => ({
        from,
        to: redis,
        ports: [{ port: 6379 }],
        because: "Redis is Argo CD's cache.",
      })),
      {
        from: workload('traefik', 'traefik'),
        to: server,
        ports: [{ port: 8080 }],
        because: 'Admins open the web page through the admin entry point.',
      },
      {
        from: repoServer,
        to: { outside: 'internet' },
        ports: repositoryPorts(cluster),
        because: 'It fetches this repository and the Helm charts.',
      },
      ...gitServerAtHome(cluster).map((address) => ({
        from: repoServer,
        to: { outside: 'address' as const, cidr: `${address}/32` },
        ports: repositoryPorts(cluster),
        because: 'It fetches this repository from the Git server at home.',
      })),
      scraped(controller, 8082),
      scraped(repoServer, 8084),
      scraped(server, 8083),
    ];
  },
};

/** The address of a Git server in a private network, which the flow to the Internet leaves out: without it Argo CD could not fetch the commit that repairs it. */
function gitServerAtHome({ git }: Pick<Cluster, 'git'>): string[] {
  const host = /^(?:https|ssh):\/\/(?:[^@/]+@)?([^:/]+)|^git@([^:]+):/.exec(git.repository)?.slice(1).find(Boolean) ?? '';
  const address = git.address ?? (isIPv4(host) ? host : undefined);
  return address === undefined ? [] : [address];
}

/**
 * Ports that fetching takes: 443 for Helm charts, and whatever port the Git address names.
 * @throws never: the description has been validated to be https://, ssh://, git@host:path or git:// of a server inside of the cluster
 */
export function repositoryPorts(cluster: Pick<Cluster, 'git'>): readonly FlowPort[] {
  const { repository } = cluster.git;
  // Inside of the cluster: whoever brings that server brings its policy.
  if (repository.startsWith('git://')) return [{ port: 443 }];
  const url = /^(https|ssh):\/\/(?:[^@/]+@)?[^:/]+(?::([0-9]+))?/.exec(repository);
  const port = url ? Number(url[2] ?? (url[1] === 'ssh' ? 22 : 443)) : 22;
  return port === 443 ? [{ port }] : [{ port: 443 }, { port }];
}

function metrics(): object {
  return { enabled: true, serviceMonitor: { enabled: true } };
}

function service(name: string, ...ports: ProvidedService['ports']): ProvidedService {
  return { name, ports, labels: { 'app.kubernetes.io/name': name } };
}

function metricsService(name: string, port: number, label: string = name): ProvidedService {
  return { name, ports: [{ name: 'http-metrics', port }], labels: { 'app.kubernetes.io/name': label } };
}

function pods(name: string, kind: ProvidedPods['kind'], ports: ProvidedPods['ports'], serviceAccount: string): ProvidedPods {
  return { name, kind, labels: workload('argo-cd', name).labels, ports, serviceAccount };
}
