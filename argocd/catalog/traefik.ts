/**
 * Traefik: HTTPS for players on one address and for admin pages on another. Routes, Middlewares and TLS options are ours; game UDP never passes through it.
 */

import { PRIORITY } from '../../lib/constructs/priority';
import { PRIVATE_NETWORKS } from '../../lib/model/addresses';
import type { Cluster } from '../../lib/model/cluster';
import type { UpstreamChart } from './types';
import { scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'traefik';

/** Names of the entry points, as IngressRoutes refer to them. */
export const entryPoints = {
  /** HTTP for everybody: redirects and ACME challenges. */
  web: 'web',
  /** HTTPS for players. */
  websecure: 'websecure',
  /** HTTPS for admin pages, behind the second address, which is never forwarded to the Internet. */
  admin: 'admin',
} as const;

/** Container ports of the entry points; flows name these, because policies act after the Service's translation. */
export const entryPointPorts = { web: 8000, websecure: 8443, admin: 8444, ping: 8080, metrics: 9100 } as const;

/** Name of the MetalLB pool that holds the addresses of ingress and DNS, apart from those of the game. */
const POOL = 'ingress';

export const traefik: UpstreamChart = {
  name: 'traefik',
  project: 'platform',
  chart: 'traefik',
  namespace: NAMESPACE,
  summary: 'Terminates TLS and routes players to the broker and admins to their pages.',
  values: (cluster) => ({
    priorityClassName: PRIORITY.core,
    deployment: cluster.hasLoadBalancer
      ? { replicas: replicas(cluster) }
      : // Without a load balancer every node answers on its own ports.
        { kind: 'DaemonSet' },
    ...(cluster.hasLoadBalancer
      ? {
          // Two replicas on one node would go down together. Preferred and not required, because an update needs a third place.
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: workload('traefik', 'traefik').labels },
            },
          ],
          ...(replicas(cluster) > 1 ? { podDisruptionBudget: { enabled: true, maxUnavailable: 1 } } : {}),
        }
      : // A port of the node is free only when the old pod is gone.
        { updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } } }),
    global: { checkNewVersion: false },
    // No dashboard: it shows every route, and nothing here needs it.
    api: { dashboard: false },
    // cert-manager's solvers name the class; an Ingress without a class is nobody's.
    ingressClass: { isDefaultClass: false, name: 'traefik' },
    providers: {
      kubernetesCRD: {
        // TLS options for everybody come from one namespace; another namespace's object named "default" must not replace them.
        defaultTLSResourcesNamespace: NAMESPACE,
      },
      kubernetesIngress: {
        ingressClass: 'traefik',
        // Without a load balancer the Service has no address to publish.
        publishedService: { enabled: cluster.hasLoadBalancer },
      },
    },
    // Headers are dropped by default (tokens, cookies); so are query parameters here, which the default keeps.
    accessLog: { enabled: true, format: 'json', fields: { queryParameters: { defaultMode: 'drop' } } },
    log: { format: 'json' },
    metrics: {
      prometheus: {
        // Per route: the broker's latency is an alert.
        addRoutersLabels: true,
        service: { enabled: true },
        serviceMonitor: { enabled: true },
      },
    },
    ports: {
      // What names no entry point (the solver's Ingress) is for this one alone; without a default it would be on the admin and metrics ports as well.
      web: { asDefault: true, ...hostPort(cluster, 80) },
      websecure: { ...hostPort(cluster, 443) },
      admin: {
        port: entryPointPorts.admin,
        exposedPort: 443,
        protocol: 'TCP',
        // In no Service but the one named admin.
        expose: { admin: true },
        http: { tls: { enabled: true } },
        ...hostPort(cluster, entryPointPorts.admin),
      },
    },
    service: {
      ...service(cluster, cluster.network.ingress),
      additionalServices: { admin: service(cluster, cluster.network.adminIngress) },
    },
    resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
  }),
  needs: (cluster) => ['namespaces', 'prometheus-operator-crds', ...(cluster.hasLoadBalancer ? ['metallb-config'] : [])],
  exceptions: (cluster) =>
    cluster.hasLoadBalancer
      ? []
      : [
          {
            container: 'traefik/traefik',
            rules: ['no-host-ports'],
            because: "Without a load balancer the node's own ports are the only way in.",
          },
        ],
  // The first is keyed by the names of Services, the others are a Service's spec as it is.
  freeValues: ['ports.admin.expose', 'service.spec', 'service.additionalServices.admin.spec'],
  provides: (cluster) => ({
    crds: [
      ...[
        'ingressroutes',
        'ingressroutetcps',
        'ingressrouteudps',
        'middlewares',
        'middlewaretcps',
        'serverstransports',
        'serverstransporttcps',
        'tlsoptions',
        'tlsstores',
        'traefikservices',
      ].map((plural) => `${plural}.traefik.io`),
      // Of Traefik's commercial product; the chart's crds folder has no switch for them. Nothing uses them.
      ...[
        'accesscontrolpolicies',
        'aiservices',
        'apiauths',
        'apibundles',
        'apicatalogitems',
        'apiplans',
        'apiportalauths',
        'apiportals',
        'apiratelimits',
        'apis',
        'apiversions',
        'contentitems',
        'managedapplications',
        'managedsubscriptions',
        'uplinks',
      ].map((plural) => `${plural}.hub.traefik.io`),
    ],
    services: [
      {
        name: 'traefik',
        ports: [
          { name: 'web', port: 80 },
          { name: 'websecure', port: 443 },
        ],
        labels: workload('traefik', 'traefik').labels,
      },
      { name: 'traefik-admin', ports: [{ name: 'admin', port: 443 }], labels: workload('traefik', 'traefik').labels },
      {
        name: 'traefik-metrics',
        ports: [{ name: 'metrics', port: entryPointPorts.metrics }],
        labels: { 'app.kubernetes.io/component': 'metrics' },
      },
    ],
    pods: [
      {
        name: 'traefik',
        kind: cluster.hasLoadBalancer ? 'Deployment' : 'DaemonSet',
        labels: workload('traefik', 'traefik').labels,
        ports: [
          { name: 'traefik', port: entryPointPorts.ping },
          { name: 'web', port: entryPointPorts.web },
          { name: 'websecure', port: entryPointPorts.websecure },
          { name: 'admin', port: entryPointPorts.admin },
          { name: 'metrics', port: entryPointPorts.metrics },
        ],
        serviceAccount: 'traefik',
      },
    ],
    serviceAccounts: [`${NAMESPACE}/traefik`],
    ingressClasses: ['traefik'],
    clusterKinds: [
      'apiextensions.k8s.io/CustomResourceDefinition',
      'networking.k8s.io/IngressClass',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  flows: (cluster) => {
    const pods = workload('traefik', 'traefik');
    return [
      toApiServer(cluster, pods, 'It watches routes, Services and TLS Secrets.'),
      {
        from: { outside: 'anywhere' },
        to: pods,
        ports: [{ port: entryPointPorts.web }, { port: entryPointPorts.websecure }],
        because: 'Players, and the challenges of ACME.',
      },
      // Admin pages answer nobody else, whatever a router may forward.
      ...PRIVATE_NETWORKS.map((cidr) => ({
        from: { outside: 'address' as const, cidr },
        to: pods,
        ports: [{ port: entryPointPorts.admin }],
        because: 'Admin pages, from private networks only: a mistake on the router must not publish them.',
      })),
      scraped(pods, entryPointPorts.metrics),
    ];
  },
};

/** One per node up to two: a second one on the same node would outlive nothing. */
function replicas(cluster: Cluster): number {
  return Math.min(cluster.statelessReplicas, cluster.nodes.length);
}

function hostPort(cluster: Cluster, port: number): { hostPort?: number } {
  return cluster.hasLoadBalancer ? {} : { hostPort: port };
}

function service(cluster: Cluster, address: string | undefined): object {
  if (!cluster.hasLoadBalancer) return { spec: { type: 'ClusterIP' } };
  return {
    annotations: { 'metallb.io/address-pool': POOL, ...(address ? { 'metallb.io/loadBalancerIPs': address } : {}) },
    spec: {
      type: 'LoadBalancer',
      // Keeps the clients' addresses, which rate limits and lock-outs count by.
      externalTrafficPolicy: 'Local',
      // MetalLB needs no node ports, and an open port on every node would by-pass the two addresses.
      allocateLoadBalancerNodePorts: false,
    },
  };
}
