/**
 * Probes: a blackbox exporter asks DNS and the players' entry point as a client would, because a program may be well by its own metrics and yet not be reached.
 * It deliberately sits in the cluster and says nothing of the way from the Internet: that needs a service out there, as the dead man's switch does.
 */
import { entryPointPorts, traefik as traefikChart } from '../argocd/catalog/traefik';
import { scraped, workload as upstream } from '../argocd/catalog/workloads';
import { ServiceMonitor, ServiceMonitorSpecEndpointsRelabelingsAction } from '../imports/monitoring.coreos.com';
import { type Component, labels } from '../lib/component';
import { type Alert, alertRules } from '../lib/constructs/alerts';
import { add } from '../lib/emit/manifest';
import { toYaml } from '../lib/emit/yaml';
import type { Flow } from '../lib/flows';
import { CONFIG_HASH_ANNOTATION, configHash } from '../lib/game-contract';
import { IntOrString, KubeConfigMap, KubeDeployment, type Probe as KubeProbe, KubeService, KubeServiceAccount, Quantity } from '../lib/k8s';
import type { Cluster } from '../lib/model/cluster';
import { NAMESPACES, WORKLOADS } from '../lib/platform';
import { imageReference } from '../versions';

const NAMESPACE = NAMESPACES.probes;
const NAME = 'blackbox-exporter';
const pods = WORKLOADS.probes;
const PORT = 9115;
const USER = 1000;
const CONFIG = { file: 'blackbox.yaml', folder: '/etc/blackbox' } as const;

/** One question, asked at each scrape. */
interface Probe {
  /** Label `probe` of its series. */
  readonly name: string;
  /** Whom it is asked of. */
  readonly target: string;
  /** How, as the exporter's configuration has it. */
  readonly module: object;
}

export const probes: Component = {
  name: 'probes',
  summary: "Asks DNS and the players' entry point as a client would.",
  namespaces: () => [{ name: NAMESPACE, podSecurity: 'restricted' }],
  flows,
  applications: (cluster) => [
    {
      name: 'probes',
      project: 'observability',
      namespace: NAMESPACE,
      needs: ['prometheus-operator-crds'],
      policiesOf: [NAMESPACE],
      build: (chart) => {
        const metadata = { name: NAME, namespace: NAMESPACE, labels: labels(NAME) };
        const data = {
          [CONFIG.file]: toYaml({ modules: Object.fromEntries(probesOf(cluster).map(({ name, module }) => [name, module])) }),
        };
        add(chart, KubeServiceAccount, { metadata, automountServiceAccountToken: false });
        add(chart, KubeConfigMap, { metadata, data });
        add(chart, KubeDeployment, {
          metadata,
          spec: {
            selector: { matchLabels: { ...pods.labels } },
            template: {
              // A changed question restarts it: it reads its file once.
              metadata: { labels: labels(NAME), annotations: { [CONFIG_HASH_ANNOTATION]: configHash(data) } },
              spec: {
                serviceAccountName: NAME,
                automountServiceAccountToken: false,
                enableServiceLinks: false,
                securityContext: { runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, seccompProfile: { type: 'RuntimeDefault' } },
                containers: [
                  {
                    name: NAME,
                    image: imageReference('blackbox-exporter'),
                    args: [`--config.file=${CONFIG.folder}/${CONFIG.file}`],
                    ports: [{ name: 'http', containerPort: PORT }],
                    resources: {
                      requests: { cpu: Quantity.fromString('10m'), memory: Quantity.fromString('32Mi') },
                      limits: { memory: Quantity.fromString('64Mi') },
                    },
                    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
                    startupProbe: answers,
                    readinessProbe: answers,
                    livenessProbe: { ...answers, periodSeconds: 30 },
                    volumeMounts: [{ name: 'config', mountPath: CONFIG.folder, readOnly: true }],
                  },
                ],
                volumes: [{ name: 'config', configMap: { name: NAME } }],
              },
            },
          },
        });
        add(chart, KubeService, { metadata, spec: { selector: { ...pods.labels }, ports: [{ name: 'http', port: PORT }] } });
        add(chart, ServiceMonitor, {
          metadata,
          spec: {
            selector: { matchLabels: labels(NAME) },
            endpoints: probesOf(cluster).map(({ name, target }) => ({
              port: 'http',
              path: '/probe',
              params: { module: [name], target: [target] },
              // With the CRD's default written out: filled in by the server, within a list, it is a difference to Argo CD that never goes away.
              relabelings: [
                { action: ServiceMonitorSpecEndpointsRelabelingsAction.REPLACE, targetLabel: 'probe', replacement: name },
                // Otherwise every question is of the exporter.
                { action: ServiceMonitorSpecEndpointsRelabelingsAction.REPLACE, targetLabel: 'instance', replacement: target },
              ],
            })),
          },
        });
        alertRules(chart, NAMESPACE, 'probes', ALERTS);
      },
    },
  ],
};

const answers: KubeProbe = { httpGet: { path: '/-/healthy', port: IntOrString.fromString('http') } };

function flows(cluster: Cluster): readonly Flow[] {
  return [
    scraped(pods, PORT),
    {
      from: pods,
      to: upstream('traefik', 'traefik'),
      ports: [{ port: entryPointPorts.websecure }],
      because: "It opens the players' page as a browser would.",
    },
    ...(cluster.hasDns
      ? [
          {
            from: pods,
            to: WORKLOADS.pihole,
            ports: [{ port: 53 }, { port: 53, protocol: 'UDP' as const }],
            because: "It asks for the players' host name as a device of the LAN would.",
          },
        ]
      : []),
  ];
}

/** The Service of CoreDNS, by its name in kubeadm, k3s, kind and Talos. Prometheus has no way to its metrics, which a Service of ours in kube-system would take. */
const CLUSTER_DNS = 'kube-dns.kube-system.svc.cluster.local:53';

function probesOf(cluster: Cluster): readonly Probe[] {
  return [
    { name: 'cluster-dns', target: CLUSTER_DNS, module: dns(`${NAME}.${NAMESPACE}.svc.cluster.local`) },
    // Through the cluster's DNS.
    { name: 'internet-dns', target: CLUSTER_DNS, module: dns(nameOnTheInternet(cluster)) },
    ...(cluster.hasDns
      ? [{ name: 'home-dns', target: `${WORKLOADS.pihole.name}.${NAMESPACES.pihole}.svc.cluster.local:53`, module: dns(cluster.domain) }]
      : []),
    {
      name: 'entry-point',
      target: `https://traefik.${traefikChart.namespace}.svc.cluster.local/v1/realms`,
      module: {
        prober: 'http',
        timeout: '10s',
        http: {
          preferred_ip_protocol: 'ip4',
          headers: { Host: cluster.domain },
          fail_if_not_ssl: true,
          // The name that the certificate must have. Only one that browsers trust is checked: the cluster's own authority is not known here.
          tls_config: { server_name: cluster.domain, ...(trusted(cluster) ? {} : { insecure_skip_verify: true }) },
        },
      },
    },
  ];
}

const trusted = ({ certificates }: Cluster): boolean => certificates.issuer === 'letsencrypt' && certificates.environment === 'production';

/** A question for an IPv4 address; no answer is a failure, also when the server says that all is well. */
function dns(name: string): object {
  return {
    prober: 'dns',
    timeout: '5s',
    dns: {
      query_name: name,
      query_type: 'A',
      transport_protocol: 'udp',
      preferred_ip_protocol: 'ip4',
      validate_answer_rrs: { fail_if_none_matches_regexp: ['\\sIN\\sA\\s'] },
    },
  };
}

/** The Git server, without which no commit arrives; where that is no name of the Internet (in the cluster, in the LAN, an address), Let's Encrypt's. */
function nameOnTheInternet({ git }: Cluster): string {
  // Of `https://host/…`, `ssh://user@host:port/…`, `git://host/…` or `git@host:path`.
  const host = /^(?:[a-z]+:\/\/)?(?:[^@/]*@)?([^:/]+)/.exec(git.repository)?.[1] ?? '';
  const elsewhere = git.address !== undefined || /(?:\.local|\.internal|\.lan|\.home\.arpa|\.[0-9]+)$/.test(host) || !host.includes('.');
  return elsewhere ? 'acme-v02.api.letsencrypt.org' : host;
}

const ALERTS: readonly Alert[] = [
  {
    name: 'DnsFailing',
    expr: `max by (probe) (probe_success{namespace="${NAMESPACE}", probe=~".+-dns"}) == 0`,
    for: '3m',
    severity: 'critical',
    summary: 'Names are not resolved: {{ $labels.probe }} has failed for 3 minutes.',
    description:
      "cluster-dns: nothing in the cluster finds anything. internet-dns: the home's line or resolver. home-dns: Pi-hole does not know the players' host, so that nobody in the LAN gets in by name.",
  },
  {
    name: 'EntryPointFails',
    expr: `max(probe_success{namespace="${NAMESPACE}", probe="entry-point"}) == 0`,
    for: '3m',
    severity: 'critical',
    summary: "The players' entry point does not answer as it should.",
    description:
      'Asked by its name, with TLS, as a player would: a certificate, a route or the broker is wrong, although the programs may be well.',
  },
  {
    name: 'ProbesDown',
    expr: `absent(up{namespace="${NAMESPACE}"} == 1)`,
    for: '10m',
    severity: 'warning',
    summary: 'Nobody asks DNS and the entry point as a client would.',
    description: 'The blackbox exporter is not reached: DnsFailing and EntryPointFails cannot fire. Players notice nothing.',
  },
];
