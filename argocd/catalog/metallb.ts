/**
 * MetalLB: gives Services addresses of the LAN by answering ARP for them (layer 2). Pools and advertisements are ours and come after it.
 */

import { PRIORITY } from '../../lib/constructs/priority';
import type { UpstreamChart } from './types';
import { fromApiServer, scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'metallb-system';

export const metallb: UpstreamChart = {
  name: 'metallb',
  project: 'platform',
  chart: 'metallb',
  namespace: NAMESPACE,
  summary: 'Gives Services of type LoadBalancer pinned addresses of the LAN.',
  enabled: (cluster) =>
    cluster.hasLoadBalancer || 'there is no load balancer (kubernetes.loadBalancer is "none"): Services are published on ports of the node',
  values: () => ({
    // BGP is not used; without FRR the speaker needs NET_RAW alone, and a DaemonSet of five containers and a Deployment go.
    frrk8s: { enabled: false },
    // The chart sets the rest of the security context, but no seccomp profile.
    controller: {
      priorityClassName: PRIORITY.core,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    },
    speaker: {
      priorityClassName: PRIORITY.core,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    },
    prometheus: {
      serviceMonitor: { enabled: true },
      // A Role for one named Prometheus; ours reads every namespace already.
      rbacPrometheus: false,
    },
  }),
  needs: () => ['namespaces', 'prometheus-operator-crds'],
  exceptions: () => [
    {
      container: 'metallb-speaker/speaker',
      rules: ['non-root', 'no-capabilities', 'no-host-namespaces'],
      because: "It answers ARP on the node's own interfaces, which takes the host network and raw sockets (NET_RAW), and those root.",
    },
  ],
  provides: () => ({
    crds: [
      'bfdprofiles.metallb.io',
      'bgpadvertisements.metallb.io',
      'bgppeers.metallb.io',
      'communities.metallb.io',
      'configurationstates.metallb.io',
      'ipaddresspools.metallb.io',
      'l2advertisements.metallb.io',
      'servicebgpstatuses.metallb.io',
      'servicel2statuses.metallb.io',
    ],
    webhooks: ['metallb.io'],
    services: [
      { name: 'metallb-webhook-service', ports: [{ port: 443 }] },
      {
        name: 'metallb-controller-monitor-service',
        ports: [{ name: 'metricshttps', port: 9120 }],
        labels: { name: 'metallb-controller-monitor-service' },
      },
      {
        name: 'metallb-speaker-monitor-service',
        ports: [{ name: 'metricshttps', port: 9120 }],
        labels: { name: 'metallb-speaker-monitor-service' },
      },
    ],
    pods: [
      {
        name: 'metallb-controller',
        kind: 'Deployment',
        labels: workload('metallb', 'metallb-controller').labels,
        ports: [
          { name: 'metricshttps', port: 9120 },
          { name: 'webhook-server', port: 9443 },
        ],
        serviceAccount: 'metallb-controller',
      },
      {
        name: 'metallb-speaker',
        kind: 'DaemonSet',
        labels: workload('metallb', 'metallb-speaker').labels,
        ports: [
          { name: 'metricshttps', port: 9120 },
          { name: 'memberlist-tcp', port: 7946 },
          { name: 'memberlist-udp', port: 7946, protocol: 'UDP' },
        ],
        serviceAccount: 'metallb-speaker',
        hostNetwork: true,
      },
    ],
    // Rendered empty; the controller fills it in and rotates it.
    secrets: [`${NAMESPACE}/metallb-webhook-cert`],
    configMaps: [`${NAMESPACE}/metallb-excludel2`],
    serviceAccounts: [`${NAMESPACE}/metallb-controller`, `${NAMESPACE}/metallb-speaker`],
    clusterKinds: [
      'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
      'apiextensions.k8s.io/CustomResourceDefinition',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  flows: (cluster) => {
    const controller = workload('metallb', 'metallb-controller');
    return [
      toApiServer(cluster, controller, 'It assigns addresses to Services.'),
      ...fromApiServer(controller, [{ port: 9443 }], 'The API server asks the webhook about pools and advertisements.'),
      scraped(controller, 9120),
      // The speakers are in the host network: Prometheus reaches them at the nodes' addresses, and no policy selects them.
      {
        from: workload('kube-prometheus-stack', 'prometheus'),
        to: { outside: 'nodes' },
        ports: [{ port: 9120 }],
        because: "Prometheus reads the speakers' metrics.",
      },
    ];
  },
};
