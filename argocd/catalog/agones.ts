/**
 * Agones: instanced game servers. Fleets and their autoscalers are ours; so are the certificates of its webhooks, because the chart would make random ones at every render.
 */

import type { UpstreamChart } from './types';
import { fromApiServer, scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'agones-system';
/** Namespace of every Fleet. */
const INSTANCES = 'instances';
/** The chart derives it from its name; both Deployments mount it. */
const CERTIFICATE = 'agones-cert';
/** One Service for the webhooks and for the allocation API; the pods behind it are the extensions, whatever its name says. */
const SERVICE = 'agones-controller-service';

/**
 * The Certificates that must exist before the chart is installed, because its pods mount their Secrets.
 * The issuer must put a `ca.crt` into the Secret (cert-manager's CA and self-signed issuers do): cainjector copies it into webhooks and APIService.
 */
export const agonesCertificates = [
  {
    /** Name of the Certificate; `cert-manager.io/inject-ca-from` names it. */
    name: CERTIFICATE,
    namespace: NAMESPACE,
    secretName: CERTIFICATE,
    /** Names that the API server calls. */
    dnsNames: [`${SERVICE}.${NAMESPACE}.svc`, `${SERVICE}.${NAMESPACE}`],
  },
] as const;

/** Keys that cert-manager writes, under the file names that Agones reads in /certs. */
const CERTIFICATE_FILES = [
  { key: 'tls.crt', path: 'server.crt' },
  { key: 'tls.key', path: 'server.key' },
] as const;

function injected(): object {
  return { annotations: { 'cert-manager.io/inject-ca-from': `${NAMESPACE}/${CERTIFICATE}` }, disableCaBundle: true };
}

/** Said twice, because the chart reads some of it from `controller` and some from `extensions`; made anew, so that no YAML writer makes an alias of it. */
function certificates(): object {
  return {
    generateTLS: false,
    disableSecret: true,
    customCertSecretPath: CERTIFICATE_FILES.map((file) => ({ ...file })),
    allocationApiService: injected(),
    validatingWebhook: injected(),
    mutatingWebhook: injected(),
  };
}

export const agones: UpstreamChart = {
  name: 'agones',
  project: 'platform',
  chart: 'agones',
  namespace: NAMESPACE,
  summary: 'Runs and allocates the game servers of instanced content.',
  enabled: (cluster) => cluster.instances.length > 0 || 'the cluster has no instanced content (instances is empty)',
  values: (cluster) => ({
    agones: {
      // The default is a pre-delete hook that deletes every Fleet and game server.
      crds: { cleanupOnDelete: false },
      // Bare metal: nothing to find out from a cloud's metadata.
      cloudProduct: 'generic',
      metrics: { serviceMonitor: { enabled: true } },
      controller: {
        ...certificates(),
        // One: it recreates what is missing when it comes back, and without a second one there is no election to wait for.
        replicas: 1,
        // Logs go to the container's output; the default asks for 10 GiB of the node's disk.
        persistentLogs: false,
        resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
      },
      extensions: {
        ...certificates(),
        // Each replica allocates from a cache of its own, and two of them fight over the same servers (agones#1856).
        replicas: 1,
        // The default blocks every drain of the node that it runs on. Zero would render no rule at all, which blocks as well.
        pdb: { minAvailable: '0%' },
        // The default, Recreate, leaves webhooks without an endpoint during an update, and they fail closed.
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        // The default of half a second is the latency that every player of an instance would wait.
        allocationBatchWaitTime: '20ms',
        persistentLogs: false,
        resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
      },
      // The broker allocates through the Kubernetes API; both would take LoadBalancer addresses.
      // Without an allocator the chart still makes its four Secrets, with new random keys at every render, unless told not to.
      allocator: { install: false, disableSecretCreation: true },
      ping: { install: false },
      image: { sdk: { cpuRequest: '20m', memoryRequest: '32Mi', memoryLimit: '64Mi' } },
    },
    gameservers: {
      namespaces: cluster.instances.length > 0 ? [INSTANCES] : [],
      minPort: cluster.network.instancePorts.first,
      maxPort: cluster.network.instancePorts.last,
    },
  }),
  needs: () => ['namespaces', 'prometheus-operator-crds', 'agones-certificates'],
  exceptions: () =>
    ['agones-controller/agones-controller', 'agones-extensions/agones-extensions'].map((container) => ({
      container,
      rules: ['read-only-root', 'no-capabilities', 'seccomp'],
      because: 'The chart writes the security context itself (non-root, no escalation) and has no value for the rest.',
    })),
  provides: (cluster) => ({
    crds: [
      'fleetautoscalers.autoscaling.agones.dev',
      'fleets.agones.dev',
      'gameserverallocationpolicies.multicluster.agones.dev',
      'gameservers.agones.dev',
      'gameserversets.agones.dev',
    ],
    webhooks: ['agones.dev', 'autoscaling.agones.dev'],
    services: [
      {
        name: SERVICE,
        ports: [
          { name: 'webhooks', port: 443 },
          { name: 'web', port: 8080 },
        ],
        labels: { 'agones.dev/role': 'extensions' },
      },
      { name: 'agones-controller-metrics-service', ports: [{ name: 'metrics', port: 8080 }], labels: { 'agones.dev/role': 'controller' } },
      { name: 'agones-extensions-metrics-service', ports: [{ name: 'metrics', port: 8080 }], labels: { 'agones.dev/role': 'extensions' } },
    ],
    pods: (['agones-controller', 'agones-extensions'] as const).map((name) => ({
      name,
      kind: 'Deployment' as const,
      labels: workload('agones', name).labels,
      ports: [
        { name: 'webhooks', port: 8081 },
        { name: 'http', port: 8080 },
      ],
      serviceAccount: 'agones-controller',
    })),
    serviceAccounts: [`${NAMESPACE}/agones-controller`, ...(cluster.instances.length > 0 ? [`${INSTANCES}/agones-sdk`] : [])],
    clusterKinds: [
      'admissionregistration.k8s.io/MutatingWebhookConfiguration',
      'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
      'apiextensions.k8s.io/CustomResourceDefinition',
      'apiregistration.k8s.io/APIService',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
      'scheduling.k8s.io/PriorityClass',
    ],
    // In kube-system a RoleBinding, for the API server's certificate authority; beside its Fleets an account for their side containers.
    namespaces: ['kube-system', ...(cluster.instances.length > 0 ? [INSTANCES] : [])],
  }),
  flows: (cluster) => {
    const controller = workload('agones', 'agones-controller');
    const extensions = workload('agones', 'agones-extensions');
    return [
      toApiServer(cluster, controller, 'It makes pods for game servers and scales Fleets.'),
      toApiServer(cluster, extensions, 'It marks game servers as allocated.'),
      ...fromApiServer(extensions, [{ port: 8081 }], 'The API server asks the webhooks about Fleets and passes allocations on.'),
      scraped(controller, 8080),
      scraped(extensions, 8080),
    ];
  },
};
