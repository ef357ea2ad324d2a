/**
 * ExternalDNS: writes the host names of routes and Services into Pi-hole, so that the LAN finds them. Public DNS is deliberately none of its business.
 */
import type { Workload } from '../../lib/flows';
import type { UpstreamChart } from './types';
import { scraped, toApiServer, workload } from './workloads';

const NAMESPACE = 'external-dns';

/** Prefix of the annotations that it reads. Written down on both sides, because the upstream default changes with 0.22. */
export const externalDnsAnnotationPrefix = 'external-dns.alpha.kubernetes.io/';

export const externalDns: UpstreamChart = {
  name: 'external-dns',
  project: 'platform',
  chart: 'external-dns',
  namespace: NAMESPACE,
  summary: 'Writes host names of routes and Services into Pi-hole for the LAN.',
  enabled: (cluster) => cluster.hasDns || 'there is no Pi-hole (network.dns is not set) to write host names into',
  values: (cluster) => ({
    provider: { name: 'pihole' },
    // IngressRoutes need a target annotation: their own address is nowhere in them.
    sources: ['service', 'traefik-proxy'],
    domainFilters: [cluster.domain],
    annotationPrefix: externalDnsAnnotationPrefix,
    // Pi-hole has no TXT records to keep ownership in; without ownership, deleting could hit records that somebody made by hand. The policy is the default of today, and said.
    registry: 'noop',
    policy: 'upsert-only',
    extraArgs: {
      'pihole-server': 'http://pihole-web.pihole.svc.cluster.local',
      // The default is the API of version 5.
      'pihole-api-version': '6',
      // Only these have addresses of the LAN; and then neither pods nor nodes are watched.
      'service-type-filter': ['LoadBalancer'],
    },
    env: [
      {
        name: 'EXTERNAL_DNS_PIHOLE_PASSWORD',
        valueFrom: { secretKeyRef: { name: 'pihole-password', key: 'EXTERNAL_DNS_PIHOLE_PASSWORD' } },
      },
    ],
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    serviceMonitor: { enabled: true },
  }),
  // It logs in to Pi-hole at its start, and waits for the caches of Traefik's kinds.
  needs: () => ['namespaces', 'prometheus-operator-crds', 'sealed-credentials', 'traefik', 'pihole'],
  provides: () => ({
    // It comes with the chart's crds folder; no DNSEndpoint is used.
    crds: ['dnsendpoints.externaldns.k8s.io'],
    services: [{ name: 'external-dns', ports: [{ name: 'http', port: 7979 }], labels: { 'app.kubernetes.io/name': 'external-dns' } }],
    pods: [
      {
        name: 'external-dns',
        kind: 'Deployment',
        labels: pods().labels,
        ports: [{ name: 'http', port: 7979 }],
        serviceAccount: 'external-dns',
      },
    ],
    serviceAccounts: [`${NAMESPACE}/external-dns`],
    clusterKinds: [
      'apiextensions.k8s.io/CustomResourceDefinition',
      'rbac.authorization.k8s.io/ClusterRole',
      'rbac.authorization.k8s.io/ClusterRoleBinding',
    ],
  }),
  flows: (cluster) => [toApiServer(cluster, pods(), 'It watches Services and IngressRoutes.'), scraped(pods(), 7979)],
  secrets: () => ({ [`${NAMESPACE}/pihole-password`]: ['EXTERNAL_DNS_PIHOLE_PASSWORD'] }),
};

const pods = (): Workload => workload('external-dns', 'external-dns');
