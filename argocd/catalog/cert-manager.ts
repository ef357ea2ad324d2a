/**
 * cert-manager: certificates for the public hosts (ACME) and for webhooks (a CA of the cluster's own). Issuers are ours and come after it.
 */

import type { UpstreamChart } from './types';
import { fromApiServer, scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'cert-manager';

/** Label and port of the pods that answer HTTP-01 challenges; cert-manager makes them in the namespace of the Certificate. */
export const acmeSolver = { labels: { 'acme.cert-manager.io/http01-solver': 'true' }, port: 8089 } as const;

export const certManager: UpstreamChart = {
  name: 'cert-manager',
  project: 'platform',
  chart: 'cert-manager',
  namespace: NAMESPACE,
  summary: "Issues and renews certificates: Let's Encrypt for hosts, an own CA for webhooks.",
  values: (cluster) => ({
    // Part of the chart, and (`crds.keep`) left alone when it goes: deleting them would delete every Certificate and Issuer.
    crds: { enabled: true },
    // The default is kube-system, which would need Roles there and kube-system as a destination of the AppProject.
    global: { leaderElection: { namespace: NAMESPACE } },
    // A Helm hook Job, which Argo CD would run at each sync.
    startupapicheck: { enabled: false },
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '192Mi' } },
    webhook: { resources: { requests: { cpu: '5m', memory: '32Mi' }, limits: { memory: '96Mi' } } },
    // It caches every Secret of the cluster, hence more memory than the others.
    cainjector: { resources: { requests: { cpu: '10m', memory: '96Mi' }, limits: { memory: '256Mi' } } },
    prometheus: { servicemonitor: { enabled: true } },
    // DNS-01 asks public resolvers, because in the LAN Pi-hole answers for the domain and never shows the challenge.
    ...(hasDns01(cluster)
      ? {
          dns01RecursiveNameserversOnly: true,
          dns01RecursiveNameservers: cluster.dns.upstreams.map((address) => `${address}:53`).join(','),
        }
      : {}),
  }),
  needs: () => ['namespaces', 'prometheus-operator-crds'],
  provides: () => ({
    crds: [
      'certificaterequests.cert-manager.io',
      'certificates.cert-manager.io',
      'challenges.acme.cert-manager.io',
      'clusterissuers.cert-manager.io',
      'issuers.cert-manager.io',
      'orders.acme.cert-manager.io',
    ],
    webhooks: ['cert-manager.io'],
    services: [
      { name: 'cert-manager', ports: [{ name: 'http-metrics', port: 9402 }], labels: { 'app.kubernetes.io/component': 'controller' } },
      {
        name: 'cert-manager-cainjector',
        ports: [{ name: 'http-metrics', port: 9402 }],
        labels: { 'app.kubernetes.io/component': 'cainjector' },
      },
      {
        name: 'cert-manager-webhook',
        ports: [
          { name: 'https', port: 443 },
          { name: 'metrics', port: 9402 },
        ],
        labels: { 'app.kubernetes.io/component': 'webhook' },
      },
    ],
    pods: [
      {
        name: 'cert-manager',
        kind: 'Deployment',
        labels: workload('cert-manager', 'cert-manager').labels,
        ports: [
          { name: 'http-metrics', port: 9402 },
          { name: 'http-healthz', port: 9403 },
        ],
        serviceAccount: 'cert-manager',
      },
      {
        name: 'cert-manager-cainjector',
        kind: 'Deployment',
        labels: workload('cert-manager', 'cert-manager-cainjector').labels,
        ports: [{ name: 'http-metrics', port: 9402 }],
        serviceAccount: 'cert-manager-cainjector',
      },
      {
        name: 'cert-manager-webhook',
        kind: 'Deployment',
        labels: workload('cert-manager', 'cert-manager-webhook').labels,
        ports: [
          { name: 'https', port: 10250 },
          { name: 'healthcheck', port: 6080 },
          { name: 'http-metrics', port: 9402 },
        ],
        serviceAccount: 'cert-manager-webhook',
      },
    ],
    serviceAccounts: [`${NAMESPACE}/cert-manager`, `${NAMESPACE}/cert-manager-cainjector`, `${NAMESPACE}/cert-manager-webhook`],
    clusterKinds: [
      'admissionregistration.k8s.io/MutatingWebhookConfiguration',
      'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
      'apiextensions.k8s.io/CustomResourceDefinition',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  flows: (cluster) => {
    const controller = workload('cert-manager', 'cert-manager');
    const webhook = workload('cert-manager', 'cert-manager-webhook');
    const cainjector = workload('cert-manager', 'cert-manager-cainjector');
    return [
      toApiServer(cluster, controller, 'It watches Certificates and writes their Secrets.'),
      toApiServer(cluster, webhook, 'It reads its serving certificate from a Secret and asks who may approve requests.'),
      toApiServer(cluster, cainjector, 'It writes CA bundles into webhooks and APIServices.'),
      ...fromApiServer(webhook, [{ port: 10250 }], 'The API server asks the webhook about every Certificate and Issuer.'),
      scraped(controller, 9402),
      scraped(webhook, 9402),
      scraped(cainjector, 9402),
      ...(cluster.certificates.issuer === 'letsencrypt'
        ? [
            {
              from: controller,
              to: { outside: 'internet' as const },
              ports: [{ port: 443 }, { port: 80 }],
              because:
                "Let's Encrypt and the DNS provider (443), and the self-check of an HTTP-01 challenge under the public address (80).",
            },
            {
              from: controller,
              to: workload('traefik', 'traefik'),
              ports: [{ port: 8000 }],
              because: 'The self-check of an HTTP-01 challenge, where the host resolves to the ingress in the LAN.',
            },
          ]
        : []),
      ...(hasDns01(cluster)
        ? cluster.dns.upstreams.map((address) => ({
            from: controller,
            to: { outside: 'address' as const, cidr: `${address}/32` },
            ports: [{ port: 53, protocol: 'UDP' as const }, { port: 53 }],
            because: 'It waits until a public resolver shows the DNS-01 challenge.',
          }))
        : []),
    ];
  },
};

function hasDns01(cluster: Parameters<UpstreamChart['values']>[0]): boolean {
  return cluster.certificates.issuer === 'letsencrypt' && cluster.certificates.dns01 !== undefined;
}
