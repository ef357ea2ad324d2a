/**
 * Pi-hole: the LAN's DNS server, which answers for the cluster's host names. Its records are written by ExternalDNS through its API, never by this chart:
 * a record set by environment is read-only to the API.
 * There is no official Helm chart, so the StatefulSet is ours; it deliberately does no DHCP and no NTP, which would need rights on the node.
 */
import type { Chart } from 'cdk8s';
import { workload as upstream } from '../argocd/catalog/workloads';
import { type BuildContext, type Component, labels, PROTECTED } from '../lib/component';
import { alertRules } from '../lib/constructs/alerts';
import { adminRoute } from '../lib/constructs/routes';
import { StatefulSet } from '../lib/constructs/stateful-set';
import { add, type Exception } from '../lib/emit/manifest';
import { type Container, KubeService, KubeServiceAccount, type Probe, Quantity } from '../lib/k8s';
import type { Cluster } from '../lib/model/cluster';
import { NAMESPACES, WORKLOADS } from '../lib/platform';
import type { SecretSpec } from '../lib/secrets/spec';
import { imageReference } from '../versions';
import { POOLS } from './metallb';

const NAMESPACE = NAMESPACES.pihole;
const NAME = 'pihole';
/** The Service that the web route and ExternalDNS call. */
const WEB_SERVICE = 'pihole-web';
const PORTS = { dns: 53, web: 80 } as const;
const PASSWORD = { name: 'pihole-password', key: 'password' } as const;
/** Block lists and three months of queries (the image's default) of a home. */
const STORAGE = '4Gi';

/** The same password, for ExternalDNS, in its namespace and under the name that its environment wants. */
export const EXTERNAL_DNS_PASSWORD: SecretSpec = {
  namespace: 'external-dns',
  name: 'pihole-password',
  keys: { EXTERNAL_DNS_PIHOLE_PASSWORD: { value: 'pihole/password', source: { generate: 'password' } } },
  purpose: "Lets ExternalDNS write host names through Pi-hole's API.",
};

export const pihole: Component = {
  name: 'pihole',
  summary: "The LAN's DNS server: the cluster's host names, and fewer advertisements.",
  enabled: (cluster) => cluster.hasDns || 'network.dns is not set: Pi-hole needs an address of its own in the LAN',
  namespaces: () => [
    {
      name: NAMESPACE,
      podSecurity: 'baseline',
      because:
        "Pi-hole's image starts as root, prepares its files and drops to the user pihole by itself; all that it needs is within baseline.",
    },
    { name: EXTERNAL_DNS_PASSWORD.namespace, podSecurity: 'restricted' },
  ],
  flows: (cluster) => [
    {
      from: { outside: 'anywhere' },
      to: WORKLOADS.pihole,
      ports: [{ port: PORTS.dns }, { port: PORTS.dns, protocol: 'UDP' }],
      because: 'DNS for the LAN; the router forwards nothing to this address.',
    },
    {
      from: upstream('traefik', 'traefik'),
      to: WORKLOADS.pihole,
      ports: [{ port: PORTS.web }],
      because: 'Admins open the web page through the admin entry point.',
    },
    {
      from: upstream('external-dns', 'external-dns'),
      to: WORKLOADS.pihole,
      ports: [{ port: PORTS.web }],
      because: "ExternalDNS writes host names through Pi-hole's API.",
    },
    ...cluster.dns.upstreams.map((address) => ({
      from: WORKLOADS.pihole,
      to: { outside: 'address' as const, cidr: `${address}/32` },
      ports: [{ port: PORTS.dns }, { port: PORTS.dns, protocol: 'UDP' as const }],
      because: 'It asks the resolvers of the description.',
    })),
    { from: WORKLOADS.pihole, to: { outside: 'internet' }, ports: [{ port: 443 }], because: 'It downloads block lists.' },
  ],
  applications: () => [
    {
      name: 'pihole',
      project: 'platform',
      namespace: NAMESPACE,
      needs: ['sealed-secrets', 'metallb-config', 'traefik', 'cert-manager-config', 'prometheus-operator-crds'],
      policiesOf: [NAMESPACE],
      build,
    },
  ],
};

function build(chart: Chart, context: BuildContext): void {
  const { cluster } = context;
  const metadata = { namespace: NAMESPACE, labels: labels(NAME) };
  context.secret(chart, {
    namespace: NAMESPACE,
    name: PASSWORD.name,
    keys: { [PASSWORD.key]: { value: 'pihole/password', source: { generate: 'password' } } },
    purpose: "Pi-hole's web page and API.",
  });
  add(chart, KubeServiceAccount, { metadata: { name: NAME, ...metadata }, automountServiceAccountToken: false });
  add(chart, KubeService, {
    metadata: {
      name: NAME,
      ...metadata,
      annotations: {
        'metallb.io/address-pool': POOLS.ingress,
        ...(cluster.network.dns ? { 'metallb.io/loadBalancerIPs': cluster.network.dns } : {}),
      },
    },
    spec: {
      type: 'LoadBalancer',
      // Keeps the clients' addresses, which Pi-hole's rate limit and statistics are by.
      externalTrafficPolicy: 'Local',
      allocateLoadBalancerNodePorts: false,
      selector: WORKLOADS.pihole.labels,
      ports: [
        { name: 'dns-tcp', port: PORTS.dns },
        { name: 'dns-udp', port: PORTS.dns, protocol: 'UDP' },
      ],
    },
  });
  add(chart, KubeService, {
    metadata: { name: WEB_SERVICE, ...metadata },
    spec: { selector: WORKLOADS.pihole.labels, ports: [{ name: 'http', port: PORTS.web }] },
  });
  add(
    chart,
    StatefulSet,
    {
      metadata: { name: NAME, ...metadata, annotations: PROTECTED },
      spec: {
        // Nobody needs the pod's own name, so no headless Service is made for it.
        serviceName: WEB_SERVICE,
        selector: { matchLabels: WORKLOADS.pihole.labels },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data', labels: labels(NAME), annotations: PROTECTED },
            spec: {
              accessModes: ['ReadWriteOnce'],
              volumeMode: 'Filesystem',
              storageClassName: cluster.storage.class,
              resources: { requests: { storage: Quantity.fromString(STORAGE) } },
            },
          },
        ],
        template: {
          metadata: { labels: labels(NAME) },
          spec: {
            serviceAccountName: NAME,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            // The cluster's DNS may one day forward to this pod; it must never ask itself.
            dnsPolicy: 'None',
            dnsConfig: { nameservers: cluster.dns.upstreams },
            securityContext: { runAsUser: 0, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [container(cluster)],
            volumes: [
              // Bounded, so that a flood of queries fills no node's disk.
              { name: 'logs', emptyDir: { sizeLimit: Quantity.fromString('1Gi') } },
              { name: 'tmp', emptyDir: { sizeLimit: Quantity.fromString('1Gi') } },
            ],
          },
        },
      },
    },
    { exceptions },
  );
  adminRoute(chart, context, {
    namespace: NAMESPACE,
    name: NAME,
    host: cluster.hosts.pihole,
    service: { name: WEB_SERVICE, port: PORTS.web },
  });
  alertRules(chart, NAMESPACE, NAME, [
    {
      // The image has no exporter: what Kubernetes knows of the pod is what there is.
      name: 'PiholeDown',
      expr: `kube_statefulset_status_replicas_ready{namespace="${NAMESPACE}",statefulset="${NAME}"} < 1`,
      for: '5m',
      severity: 'critical',
      summary: 'Pi-hole does not answer: the LAN has no DNS.',
      description: `Devices that use it as their only DNS server reach nothing by name. See \`kubectl -n ${NAMESPACE} logs ${NAME}-0\`.`,
    },
    {
      name: 'ExternalDnsStale',
      expr: 'time() - max(external_dns_controller_last_sync_timestamp_seconds) > 1800',
      for: '10m',
      severity: 'warning',
      summary: 'Host names have not been written to Pi-hole for half an hour.',
      description:
        'New or changed routes are not found in the LAN. ExternalDNS logs why; a wrong password and a full list of API sessions are the usual causes.',
    },
  ]);
}

function container(cluster: Cluster): Container {
  return {
    name: NAME,
    image: imageReference('pihole'),
    ports: [
      { name: 'dns-tcp', containerPort: PORTS.dns },
      { name: 'dns-udp', containerPort: PORTS.dns, protocol: 'UDP' },
      { name: 'http', containerPort: PORTS.web },
    ],
    env: [
      // Clients are never in the pod's own subnet, and the default answers only those.
      { name: 'FTLCONF_dns_listeningMode', value: 'ALL' },
      { name: 'FTLCONF_dns_upstreams', value: cluster.dns.upstreams.join(';') },
      // Traefik has the certificate; the image's own would be self-signed.
      { name: 'FTLCONF_webserver_port', value: String(PORTS.web) },
      { name: 'FTLCONF_webserver_domain', value: cluster.hosts.pihole },
      // Neither serving nor setting the time: the latter would need SYS_TIME.
      { name: 'FTLCONF_ntp_ipv4_active', value: 'false' },
      { name: 'FTLCONF_ntp_ipv6_active', value: 'false' },
      { name: 'FTLCONF_ntp_sync_active', value: 'false' },
      // By environment and not by file: commands run in the container read the same, and a missing Secret stops the start instead of making a random password that the log shows.
      { name: 'FTLCONF_webserver_api_password', valueFrom: { secretKeyRef: PASSWORD } },
    ],
    resources: {
      requests: { cpu: Quantity.fromString('50m'), memory: Quantity.fromString('128Mi') },
      // Rebuilding the block lists takes the most.
      limits: { memory: Quantity.fromString('512Mi') },
    },
    securityContext: {
      allowPrivilegeEscalation: true,
      capabilities: { drop: ['ALL'], add: Object.keys(CAPABILITIES) },
    },
    // The first start downloads the block lists before it answers: up to ten minutes.
    startupProbe: { ...answers, failureThreshold: 60 },
    readinessProbe: answers,
    livenessProbe: { ...answers, periodSeconds: 30, failureThreshold: 5 },
    volumeMounts: [
      { name: 'data', mountPath: '/etc/pihole' },
      { name: 'logs', mountPath: '/var/log/pihole' },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

/** The question that the image's own health check asks: a name that Pi-hole itself answers, so that an upstream that is down restarts nothing. */
const answers: Probe = {
  exec: { command: ['dig', '+short', '+norecurse', '+retry=0', '+time=3', '@127.0.0.1', 'pi.hole'] },
  timeoutSeconds: 5,
};

/** What the image's start does, and the capability that each step takes; all of them are in Pod Security's baseline. DHCP's NET_ADMIN and NET_RAW are deliberately not among them. */
const CAPABILITIES: Readonly<Record<string, string>> = {
  CHOWN: 'the start gives the files of the volume to the user pihole',
  DAC_OVERRIDE: 'the start reads and writes those files as root',
  FOWNER: 'the start sets the modes of those files',
  KILL: 'root stops the process of the user pihole when the pod ends',
  NET_BIND_SERVICE: 'ports 53 and 80 are below 1024',
  SETFCAP: 'the start writes the capability for low ports to the file of the DNS server',
  SETGID: 'the start changes to the group pihole',
  SETUID: 'the start changes to the user pihole',
};

const exceptions: readonly Exception[] = [
  {
    rule: 'pod-security',
    field: 'spec.template.spec.securityContext.runAsNonRoot',
    reason: 'The image starts as root; the DNS server and its web page then run as the user pihole (1000).',
  },
  {
    rule: 'pod-security',
    field: 'spec.template.spec.securityContext.runAsUser',
    reason: 'The start changes owners and file capabilities, which only root may.',
  },
  {
    rule: 'pod-security',
    field: `spec.template.spec.containers[${NAME}].securityContext.allowPrivilegeEscalation`,
    reason: 'The user pihole gets the right to low ports from a file capability, which no_new_privs would ignore.',
  },
  {
    rule: 'pod-security',
    field: `spec.template.spec.containers[${NAME}].securityContext.capabilities.add`,
    reason: Object.entries(CAPABILITIES)
      .map(([capability, why]) => `${capability}: ${why}`)
      .join('; '),
  },
  {
    rule: 'pod-security',
    field: `spec.template.spec.containers[${NAME}].securityContext.readOnlyRootFilesystem`,
    reason: 'The start writes the file capability to /usr/bin/pihole-FTL and the schedule to /crontab.txt and /etc/crontabs.',
  },
];
