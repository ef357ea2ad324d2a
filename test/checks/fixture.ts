/**
 * A small cluster that keeps every rule, written by hand: one world, one Fleet, the broker behind Traefik, a database with an archive, and the operators they need.
 * It deliberately uses no component of charts/: a check is proven against objects that stay the same while components change.
 *
 * What the build derives (policies from flows, Applications from folders) is derived here by the same code, so that flows and policies never disagree by accident.
 */
import { App, Chart } from 'cdk8s';
import type { ProvidedPods, Provides, UpstreamChart } from '../../argocd/catalog/types';
import { emitRoot, ROOT } from '../../argocd/root';
import type { BuiltApplication, BuiltCluster, BuiltObject } from '../../lib/build';
import { type Check, CheckInput, type Violation } from '../../lib/checks/types';
import { type ApplicationSpec, type NamespaceSpec, PROTECTED, workload } from '../../lib/component';
import { type Exception, objectsOf, type PlainObject } from '../../lib/emit/manifest';
import type { Flow, Workload } from '../../lib/flows';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { NetworkPlan } from '../../lib/network-policies';
import { computeWaves } from '../../lib/waves';
import { imageReference } from '../../versions';

/** 512 bytes of RSA ciphertext behind its length, and what follows it: the form of a sealed value, of nothing. */
export const SEALED_VALUE = Buffer.concat([Buffer.from([2, 0]), Buffer.alloc(512, 7), Buffer.alloc(48, 9)]).toString('base64');

export const DIGEST = `sha256:${'ab'.repeat(32)}`;

export const description: ClusterDescription = {
  name: 'fixture',
  kubernetes: { apiServer: { addresses: ['192.168.1.11'] } },
  nodes: [
    { name: 'node-1', address: '192.168.1.11' },
    { name: 'node-2', address: '192.168.1.12' },
  ],
  git: { repository: 'https://git.example.org/mmo.git' },
  domain: 'mmo.example.org',
  network: {
    pool: '192.168.1.240-192.168.1.250',
    ingress: '192.168.1.240',
    dns: '192.168.1.241',
    adminIngress: '192.168.1.242',
    instancePorts: { first: 7000, last: 7063 },
  },
  certificates: { issuer: 'self-signed' },
  backups: { endpoint: 'https://s3.example.org', bucket: 'mmo-backups' },
  game: { image: `registry.example.org/mmo/server:1.0.0@${DIGEST}`, protocolId: '0x1', build: '1.0.0' },
  realms: [{ name: 'aurora', exposure: { type: 'own-address' }, continents: [{ name: 'eldermoor', address: '192.168.1.245' }] }],
  instances: [{ name: 'dungeon', capacity: 5, autoscaling: { policy: 'buffer', ready: 2, max: 20 } }],
};

export const cluster = resolveCluster(description);

// ---------------------------------------------------------------------------------------------------------------- workloads

const broker = workload('connect-broker', 'connect-broker', { app: 'connect-broker' });
const world = workload('realm-aurora', 'game-server', { 'mmo/game-server': 'true', 'mmo/realm': 'aurora' });
const instances = workload('instances', 'game-server', { 'mmo/game-server': 'true' });
const database = workload('database', 'postgres', { 'cnpg.io/cluster': 'postgres' });
const backups = workload('realm-aurora', 'backup', { k8upjob: 'true' });
const traefik = workload('traefik', 'traefik', { app: 'traefik' });
const certManager = workload('cert-manager', 'cert-manager', { app: 'cert-manager' });
const sealedSecrets = workload('sealed-secrets', 'sealed-secrets', { app: 'sealed-secrets' });
const metallb = workload('metallb-system', 'metallb-controller', { app: 'metallb-controller' });
const cnpg = workload('cnpg-system', 'cloudnative-pg', { app: 'cloudnative-pg' });
const barman = workload('cnpg-system', 'plugin-barman-cloud', { app: 'plugin-barman-cloud' });
const agonesController = workload('agones-system', 'agones-controller', { app: 'agones-controller' });
const k8up = workload('k8up', 'k8up', { app: 'k8up' });
const prometheus = workload('monitoring', 'prometheus', { app: 'prometheus' });
const grafana = workload('monitoring', 'grafana', { app: 'grafana' });
const argocdServer = workload('argocd', 'argocd-server', { app: 'argocd-server' });

const gameServers = { namespaceLabels: { 'mmo/role': 'game' }, podLabels: { 'mmo/game-server': 'true' }, members: [world, instances] };

function toApiServer(from: Workload): Flow {
  return { from, to: { outside: 'api-server' }, ports: [{ port: cluster.kubernetes.apiServer.port }], because: 'It watches its objects.' };
}

export const flows: readonly Flow[] = [
  { from: { outside: 'anywhere' }, to: traefik, ports: [{ port: 8000 }, { port: 8443 }], because: 'Players.' },
  { from: { outside: 'address', cidr: '192.168.0.0/16' }, to: traefik, ports: [{ port: 8444 }], because: 'Admins.' },
  { from: traefik, to: broker, ports: [{ port: 8080 }], because: 'Players come through Traefik.' },
  { from: traefik, to: grafana, ports: [{ port: 3000 }], because: 'Admins come through Traefik.' },
  { from: traefik, to: argocdServer, ports: [{ port: 8080 }], because: 'Admins come through Traefik.' },
  { from: gameServers, to: broker, ports: [{ port: 8081 }], because: 'Game servers claim sessions.' },
  { from: broker, to: database, ports: [{ port: 5432 }], because: 'Accounts.' },
  { from: database, to: database, ports: [{ port: 5432 }], because: 'Replication.' },
  { from: database, to: { outside: 'internet' }, ports: [{ port: 443 }], because: 'The archive.' },
  { from: backups, to: { outside: 'internet' }, ports: [{ port: 443 }], because: 'The backup store.' },
  { from: { outside: 'anywhere' }, to: world, ports: [{ port: 7777, protocol: 'UDP' }], because: 'Players.' },
  { from: { outside: 'anywhere' }, to: instances, ports: [{ port: 7777, protocol: 'UDP' }], because: 'Players.' },
  { from: prometheus, to: broker, ports: [{ port: 9090 }], because: 'Metrics.' },
  { from: prometheus, to: gameServers, ports: [{ port: 7781 }], because: 'Metrics.' },
  ...[
    broker,
    database,
    instances,
    backups,
    traefik,
    certManager,
    sealedSecrets,
    metallb,
    cnpg,
    barman,
    agonesController,
    k8up,
    prometheus,
    grafana,
    argocdServer,
  ].map(toApiServer),
];

// ---------------------------------------------------------------------------------------------------------------- namespaces

export const namespaces: readonly NamespaceSpec[] = [
  ...['argocd', 'sealed-secrets', 'cert-manager', 'traefik', 'cnpg-system', 'agones-system', 'k8up', 'database', 'connect-broker'].map(
    (name): NamespaceSpec => ({ name, podSecurity: 'restricted' }),
  ),
  { name: 'realm-aurora', podSecurity: 'restricted', labels: { 'mmo/role': 'game' } },
  { name: 'instances', podSecurity: 'privileged', because: 'Agones gives each server a port of the node.', labels: { 'mmo/role': 'game' } },
  { name: 'metallb-system', podSecurity: 'privileged', because: 'The speakers are in the host network.' },
  { name: 'monitoring', podSecurity: 'privileged', because: 'The node exporter reads the host.' },
];

// ---------------------------------------------------------------------------------------------------------------- upstream charts

interface ChartOptions {
  readonly needs?: readonly string[];
  readonly provides?: Partial<Provides>;
  readonly values?: object;
  readonly secrets?: Readonly<Record<string, readonly string[]>>;
}

const DATA_CHARTS: ReadonlySet<string> = new Set(['cloudnative-pg', 'plugin-barman-cloud', 'k8up']);

/** A catalogue entry whose record is a part of what the real chart renders. */
function upstream(name: string, namespace: string, options: ChartOptions = {}): UpstreamChart {
  const { secrets } = options;
  return {
    name,
    chart: name,
    project: DATA_CHARTS.has(name) ? 'data' : 'platform',
    namespace,
    summary: name,
    values: () => options.values ?? {},
    needs: () => options.needs ?? [],
    provides: () => ({ crds: [], services: [], pods: [], ...options.provides }),
    flows: () => [],
    ...(secrets ? { secrets: () => secrets } : {}),
  };
}

function pods(of: Workload, ports: ProvidedPods['ports'] = [], more: Partial<ProvidedPods> = {}): ProvidedPods {
  return { name: of.name, kind: 'Deployment', labels: of.labels, ports, serviceAccount: of.name, ...more };
}

export const charts: readonly UpstreamChart[] = [
  upstream('argo-cd', 'argocd', {
    provides: {
      crds: ['applications.argoproj.io', 'appprojects.argoproj.io'],
      services: [{ name: 'argocd-server', ports: [{ name: 'http', port: 80 }], labels: { app: 'argocd-server' } }],
      pods: [pods(argocdServer, [{ name: 'server', port: 8080 }])],
    },
  }),
  upstream('prometheus-operator-crds', 'monitoring', {
    provides: {
      crds: ['servicemonitors.monitoring.coreos.com', 'podmonitors.monitoring.coreos.com', 'prometheusrules.monitoring.coreos.com'],
    },
  }),
  upstream('sealed-secrets', 'sealed-secrets', { provides: { crds: ['sealedsecrets.bitnami.com'], pods: [pods(sealedSecrets)] } }),
  upstream('cert-manager', 'cert-manager', {
    provides: {
      crds: ['certificates.cert-manager.io', 'clusterissuers.cert-manager.io', 'issuers.cert-manager.io'],
      webhooks: ['cert-manager.io'],
      pods: [pods(certManager)],
    },
  }),
  upstream('metallb', 'metallb-system', {
    provides: {
      crds: ['ipaddresspools.metallb.io', 'l2advertisements.metallb.io'],
      webhooks: ['metallb.io'],
      pods: [
        pods(metallb),
        { name: 'metallb-speaker', kind: 'DaemonSet', labels: { app: 'metallb-speaker' }, ports: [], hostNetwork: true },
      ],
    },
  }),
  upstream('traefik', 'traefik', {
    needs: ['metallb-config'],
    provides: {
      crds: ['ingressroutes.traefik.io', 'middlewares.traefik.io', 'tlsoptions.traefik.io'],
      services: [
        { name: 'traefik', ports: [{ name: 'websecure', port: 443 }], labels: { app: 'traefik' } },
        { name: 'traefik-admin', ports: [{ name: 'admin', port: 443 }], labels: { app: 'traefik' } },
      ],
      pods: [
        pods(traefik, [
          { name: 'web', port: 8000 },
          { name: 'websecure', port: 8443 },
          { name: 'admin', port: 8444 },
        ]),
      ],
      ingressClasses: ['traefik'],
    },
    values: {
      service: {
        annotations: { 'metallb.io/address-pool': 'ingress', 'metallb.io/loadBalancerIPs': '192.168.1.240' },
        spec: { externalTrafficPolicy: 'Local' },
        additionalServices: {
          admin: {
            annotations: { 'metallb.io/address-pool': 'ingress', 'metallb.io/loadBalancerIPs': '192.168.1.242' },
            spec: { externalTrafficPolicy: 'Local' },
          },
        },
      },
    },
  }),
  upstream('cloudnative-pg', 'cnpg-system', {
    provides: {
      crds: ['clusters.postgresql.cnpg.io', 'scheduledbackups.postgresql.cnpg.io'],
      webhooks: ['postgresql.cnpg.io'],
      pods: [pods(cnpg)],
    },
  }),
  upstream('plugin-barman-cloud', 'cnpg-system', {
    needs: ['cert-manager', 'cloudnative-pg'],
    provides: { crds: ['objectstores.barmancloud.cnpg.io'], pods: [pods(barman)] },
  }),
  upstream('agones', 'agones-system', {
    provides: {
      crds: ['fleets.agones.dev', 'fleetautoscalers.autoscaling.agones.dev'],
      webhooks: ['agones.dev', 'autoscaling.agones.dev'],
      pods: [pods(agonesController)],
      serviceAccounts: ['instances/agones-sdk'],
    },
    values: { gameservers: { namespaces: ['instances'], minPort: 7000, maxPort: 7063 } },
  }),
  upstream('k8up', 'k8up', { provides: { crds: ['schedules.k8up.io', 'podconfigs.k8up.io'], pods: [pods(k8up)] } }),
  upstream('kube-prometheus-stack', 'monitoring', {
    needs: ['prometheus-operator-crds', 'sealed-credentials'],
    provides: {
      services: [{ name: 'grafana', ports: [{ name: 'http-web', port: 80 }], labels: { app: 'grafana' } }],
      pods: [pods(prometheus, [{ name: 'http-web', port: 9090 }], { kind: 'Operator' }), pods(grafana, [{ name: 'grafana', port: 3000 }])],
    },
    secrets: { 'monitoring/grafana-admin': ['admin-user', 'admin-password'] },
  }),
];

// ---------------------------------------------------------------------------------------------------------------- applications

function application(
  name: string,
  project: ApplicationSpec['project'],
  namespace: string,
  needs: readonly string[],
  more: Partial<ApplicationSpec> = {},
): ApplicationSpec {
  return { name, project, namespace, needs, build: () => {}, ...more };
}

const specs: readonly ApplicationSpec[] = [
  application('namespaces', 'platform', 'default', []),
  application('sealed-credentials', 'observability', 'monitoring', ['sealed-secrets']),
  application('metallb-config', 'platform', 'metallb-system', ['metallb']),
  application('issuers', 'platform', 'cert-manager', ['cert-manager']),
  application('admin-pages', 'observability', 'monitoring', ['issuers', 'traefik']),
  application('database', 'data', 'database', ['sealed-secrets', 'cloudnative-pg', 'plugin-barman-cloud'], { policiesOf: ['database'] }),
  application(
    'connect-broker',
    'game',
    'connect-broker',
    ['database', 'issuers', 'traefik', 'sealed-secrets', 'prometheus-operator-crds'],
    { policiesOf: ['connect-broker'] },
  ),
  application('realms', 'game', 'realm-aurora', ['connect-broker', 'metallb-config', 'k8up', 'sealed-secrets'], {
    policiesOf: ['realm-aurora'],
  }),
  application('instances', 'game', 'instances', ['connect-broker', 'agones', 'sealed-secrets'], { policiesOf: ['instances'] }),
  application('realm-aurora', 'game', 'realm-aurora', ['realms'], { last: true }),
];

export const applications: ReadonlyMap<string, BuiltApplication> = applicationsOf();

function applicationsOf(): Map<string, BuiltApplication> {
  const withNamespaces = (name: string, needs: readonly string[]): string[] => (name === 'namespaces' ? [] : ['namespaces', ...needs]);
  const nodes = [
    ...specs.map((spec) => ({
      name: spec.name,
      needs: withNamespaces(spec.name, spec.needs),
      last: spec.last ?? false,
      spec,
      upstream: false,
    })),
    ...charts.map((spec) => ({
      name: spec.name,
      needs: withNamespaces(spec.name, spec.needs(cluster)),
      last: false,
      spec,
      upstream: true,
    })),
  ];
  const waves = computeWaves(nodes);
  return new Map(nodes.map(({ last: _, ...node }) => [node.name, { ...node, wave: waves.get(node.name) ?? 0 }]));
}

// ---------------------------------------------------------------------------------------------------------------- objects

const hardened = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
const podSecurity = { runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, seccompProfile: { type: 'RuntimeDefault' } };

function sealed(namespace: string, name: string, keys: readonly string[], isProtected = false): PlainObject {
  return {
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata: { name, namespace, ...(isProtected ? { annotations: { ...PROTECTED } } : {}) },
    spec: { encryptedData: Object.fromEntries(keys.map((key) => [key, SEALED_VALUE])), template: { metadata: { name, namespace } } },
  };
}

function configMap(namespace: string, name: string, data: Record<string, string>): PlainObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

function serviceAccount(namespace: string, name: string): PlainObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace }, automountServiceAccountToken: false };
}

function middleware(namespace: string, name: string, spec: object): PlainObject {
  return { apiVersion: 'traefik.io/v1alpha1', kind: 'Middleware', metadata: { name, namespace }, spec };
}

/** An HTTPS route with its certificate, TLS options and Middlewares, all in the namespace of the Service. */
function route(
  namespace: string,
  name: string,
  host: string,
  service: { name: string; port: number },
  entryPoint: 'websecure' | 'admin',
): PlainObject[] {
  const target = entryPoint === 'admin' ? '192.168.1.242' : '192.168.1.240';
  const middlewares = [`${name}-headers`, `${name}-rate-limit`];
  return [
    middleware(namespace, `${name}-headers`, { headers: { contentTypeNosniff: true } }),
    middleware(namespace, `${name}-rate-limit`, { rateLimit: { average: 25, burst: 100 } }),
    {
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'TLSOption',
      metadata: { name: `${name}-tls`, namespace },
      spec: { minVersion: 'VersionTLS12' },
    },
    {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: `${name}-tls`, namespace },
      spec: { secretName: `${name}-tls`, dnsNames: [host], issuerRef: { kind: 'ClusterIssuer', name: 'cluster-ca' } },
    },
    {
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'IngressRoute',
      metadata: { name, namespace, annotations: { 'external-dns.alpha.kubernetes.io/target': target } },
      spec: {
        entryPoints: [entryPoint],
        routes: [
          {
            kind: 'Rule',
            match: `Host(\`${host}\`)`,
            middlewares: middlewares.map((each) => ({ name: each })),
            services: [{ name: service.name, port: service.port }],
          },
        ],
        tls: { secretName: `${name}-tls`, options: { name: `${name}-tls` } },
      },
    },
  ];
}

function brokerObjects(): PlainObject[] {
  const namespace = 'connect-broker';
  const name = 'connect-broker';
  const selector = { app: name };
  return [
    serviceAccount(namespace, name),
    configMap(namespace, name, { 'config.json': '{}' }),
    sealed(namespace, 'database-credentials', ['username', 'password']),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels: selector },
      spec: {
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: selector },
          spec: {
            serviceAccountName: name,
            automountServiceAccountToken: true,
            securityContext: podSecurity,
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'ScheduleAnyway',
                labelSelector: { matchLabels: selector },
              },
            ],
            containers: [
              {
                name: 'broker',
                image: imageReference('connect-broker'),
                ports: [
                  { name: 'http', containerPort: 8080 },
                  { name: 'internal', containerPort: 8081 },
                  { name: 'metrics', containerPort: 9090 },
                ],
                env: [{ name: 'DATABASE_USER', valueFrom: { secretKeyRef: { name: 'database-credentials', key: 'username' } } }],
                resources: { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '192Mi' } },
                startupProbe: { httpGet: { path: '/healthz', port: 'metrics' }, periodSeconds: 5, failureThreshold: 24 },
                readinessProbe: { httpGet: { path: '/readyz', port: 'metrics' }, periodSeconds: 5 },
                livenessProbe: { httpGet: { path: '/healthz', port: 'metrics' } },
                securityContext: hardened,
                volumeMounts: [
                  { name: 'config', mountPath: '/etc/broker', readOnly: true },
                  { name: 'credentials', mountPath: '/etc/credentials', readOnly: true },
                ],
              },
            ],
            volumes: [
              { name: 'config', configMap: { name, items: [{ key: 'config.json', path: 'config.json' }] } },
              { name: 'credentials', secret: { secretName: 'database-credentials' } },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name, namespace },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        minReplicas: 2,
        maxReplicas: 4,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace },
      spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace, labels: selector },
      spec: {
        selector,
        ports: [
          { name: 'http', port: 80, targetPort: 'http' },
          { name: 'metrics', port: 9090, targetPort: 'metrics' },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'connect-broker-internal', namespace },
      spec: { selector, ports: [{ name: 'internal', port: 8081, targetPort: 'internal' }] },
    },
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: { name, namespace },
      spec: { selector: { matchLabels: selector }, endpoints: [{ port: 'metrics' }] },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'connect-broker-token-review' },
      rules: [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'connect-broker-token-review' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'connect-broker-token-review' },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    ...route(namespace, name, cluster.hosts.broker, { name, port: 80 }, 'websecure'),
    middleware(namespace, 'connect-broker-redirect', { redirectScheme: { scheme: 'https', permanent: true } }),
    {
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'IngressRoute',
      metadata: { name: 'connect-broker-redirect', namespace, annotations: { 'external-dns.alpha.kubernetes.io/target': '192.168.1.240' } },
      spec: {
        entryPoints: ['web'],
        routes: [
          {
            kind: 'Rule',
            match: `Host(\`${cluster.hosts.broker}\`)`,
            priority: 1,
            middlewares: [{ name: 'connect-broker-redirect' }, { name: 'connect-broker-headers' }, { name: 'connect-broker-rate-limit' }],
            services: [{ name, port: 80 }],
          },
        ],
      },
    },
  ];
}

function databaseObjects(): PlainObject[] {
  const namespace = 'database';
  return [
    sealed(namespace, 'broker-owner', ['username', 'password'], true),
    sealed(namespace, 'backup-s3', ['access-key-id', 'secret-access-key'], true),
    {
      apiVersion: 'barmancloud.cnpg.io/v1',
      kind: 'ObjectStore',
      metadata: { name: 'backups', namespace, annotations: { ...PROTECTED } },
      spec: {
        configuration: {
          destinationPath: 's3://mmo-backups/postgres',
          endpointURL: 'https://s3.example.org',
          s3Credentials: {
            accessKeyId: { name: 'backup-s3', key: 'access-key-id' },
            secretAccessKey: { name: 'backup-s3', key: 'secret-access-key' },
          },
        },
        instanceSidecarConfiguration: { resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } } },
      },
    },
    {
      apiVersion: 'postgresql.cnpg.io/v1',
      kind: 'Cluster',
      metadata: { name: 'postgres', namespace, annotations: { ...PROTECTED } },
      spec: {
        instances: 2,
        imageName: imageReference('postgresql'),
        bootstrap: { initdb: { database: 'broker', owner: 'broker_owner', secret: { name: 'broker-owner' } } },
        resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '512Mi' } },
        storage: { size: '10Gi' },
        plugins: [
          {
            name: 'barman-cloud.cloudnative-pg.io',
            isWALArchiver: true,
            parameters: { barmanObjectName: 'backups', serverName: 'postgres-1' },
          },
        ],
      },
    },
    {
      apiVersion: 'postgresql.cnpg.io/v1',
      kind: 'ScheduledBackup',
      metadata: { name: 'postgres-daily', namespace },
      spec: {
        cluster: { name: 'postgres' },
        schedule: '0 15 3 * * *',
        method: 'plugin',
        pluginConfiguration: { name: 'barman-cloud.cloudnative-pg.io' },
      },
    },
  ];
}

function gameContainer(configMapName: string, mounts: readonly object[]): object {
  return {
    name: 'game',
    image: cluster.game.image,
    envFrom: [{ configMapRef: { name: configMapName } }],
    resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '1Gi' } },
    securityContext: hardened,
    volumeMounts: mounts,
  };
}

function gameVolumes(secretName: string): object[] {
  return [
    { name: 'netcode-key', secret: { secretName, items: [{ key: 'generation-1', path: 'generation-1' }] } },
    { name: 'broker-token', projected: { sources: [{ serviceAccountToken: { audience: 'connect-broker', path: 'token' } }] } },
  ];
}

const gameMounts = [
  { name: 'netcode-key', mountPath: '/etc/mmo/netcode-key', readOnly: true },
  { name: 'broker-token', mountPath: '/var/run/secrets/connect-broker', readOnly: true },
];

/** What surrounds the world and does not restart it. */
function realmObjects(): PlainObject[] {
  const namespace = 'realm-aurora';
  const name = 'eldermoor';
  const selector = { 'mmo/realm': 'aurora', 'mmo/continent': name };
  return [
    serviceAccount(namespace, name),
    sealed(namespace, 'netcode-key', ['generation-1']),
    sealed(namespace, 'backup', ['restic-password', 'access-key-id', 'secret-access-key'], true),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector, ports: [{ name: 'status', port: 7780, targetPort: 'status' }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: `${name}-public`,
        namespace,
        annotations: { 'metallb.io/address-pool': 'games', 'metallb.io/loadBalancerIPs': '192.168.1.245' },
      },
      spec: {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        externalTrafficPolicy: 'Local',
        selector,
        ports: [{ name: 'game', port: 40000, targetPort: 'game', protocol: 'UDP' }],
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace },
      spec: { maxUnavailable: 0, selector: { matchLabels: selector }, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    },
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: { name: 'game-server', namespace },
      spec: { selector: { matchLabels: { 'mmo/game-server': 'true', 'mmo/realm': 'aurora' } }, podMetricsEndpoints: [{ port: 'metrics' }] },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'connect-broker', namespace },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'connect-broker', namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'connect-broker' },
      subjects: [{ kind: 'ServiceAccount', name: 'connect-broker', namespace: 'connect-broker' }],
    },
    {
      apiVersion: 'k8up.io/v1',
      kind: 'PodConfig',
      metadata: { name: 'backup', namespace },
      spec: {
        template: { spec: { securityContext: podSecurity, containers: [{ name: 'backup', image: '', securityContext: hardened }] } },
      },
    },
    {
      apiVersion: 'k8up.io/v1',
      kind: 'Schedule',
      metadata: { name: 'worlds', namespace },
      spec: {
        podConfigRef: { name: 'backup' },
        backend: {
          repoPasswordSecretRef: { name: 'backup', key: 'restic-password' },
          s3: {
            endpoint: 'https://s3.example.org',
            bucket: 'mmo-backups',
            accessKeyIDSecretRef: { name: 'backup', key: 'access-key-id' },
            secretAccessKeySecretRef: { name: 'backup', key: 'secret-access-key' },
          },
        },
        backup: { schedule: '40 */6 * * *' },
      },
    },
  ];
}

function worldObjects(): PlainObject[] {
  const namespace = 'realm-aurora';
  const name = 'eldermoor';
  const selector = { 'mmo/realm': 'aurora', 'mmo/continent': name };
  return [
    configMap(namespace, name, { MMO_KIND: 'world' }),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name, namespace, labels: selector, annotations: { ...PROTECTED } },
      spec: {
        selector: { matchLabels: selector },
        serviceName: name,
        podManagementPolicy: 'Parallel',
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        template: {
          metadata: { labels: { ...selector, 'mmo/game-server': 'true' } },
          spec: {
            serviceAccountName: name,
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: cluster.worldGraceSeconds,
            securityContext: podSecurity,
            containers: [
              {
                ...gameContainer(name, [{ name: 'world', mountPath: '/world' }, ...gameMounts]),
                ports: [
                  { name: 'game', containerPort: 7777, protocol: 'UDP' },
                  { name: 'status', containerPort: 7780 },
                  { name: 'metrics', containerPort: 7781 },
                ],
                startupProbe: { httpGet: { path: '/readyz', port: 'status' }, periodSeconds: 5, failureThreshold: 120 },
                readinessProbe: { httpGet: { path: '/readyz', port: 'status' }, periodSeconds: 5 },
                livenessProbe: { httpGet: { path: '/healthz', port: 'status' }, timeoutSeconds: 5 },
              },
            ],
            volumes: gameVolumes('netcode-key'),
          },
        },
        volumeClaimTemplates: [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'world', annotations: { ...PROTECTED } },
            spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', resources: { requests: { storage: '20Gi' } } },
          },
        ],
      },
    },
  ];
}

function instanceObjects(): PlainObject[] {
  const namespace = 'instances';
  const name = 'dungeon';
  return [
    configMap(namespace, name, { MMO_KIND: 'instance' }),
    sealed(namespace, 'netcode-key-dungeon', ['generation-1']),
    {
      apiVersion: 'agones.dev/v1',
      kind: 'Fleet',
      metadata: { name, namespace },
      spec: {
        scheduling: 'Distributed',
        template: {
          metadata: { labels: { 'mmo/content-type': name } },
          spec: {
            ports: [{ name: 'game', containerPort: 7777 }],
            lists: { players: { capacity: 5 } },
            template: {
              metadata: { labels: { 'mmo/game-server': 'true', 'mmo/content-type': name } },
              spec: {
                terminationGracePeriodSeconds: 60,
                securityContext: podSecurity,
                containers: [
                  {
                    ...gameContainer(name, gameMounts),
                    ports: [
                      { name: 'status', containerPort: 7780 },
                      { name: 'metrics', containerPort: 7781 },
                    ],
                  },
                ],
                volumes: gameVolumes('netcode-key-dungeon'),
              },
            },
          },
        },
      },
    },
    {
      apiVersion: 'autoscaling.agones.dev/v1',
      kind: 'FleetAutoscaler',
      metadata: { name, namespace },
      spec: { fleetName: name, policy: { type: 'Buffer', buffer: { bufferSize: 2, maxReplicas: 20 } } },
    },
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: { name: 'game-server', namespace },
      spec: { selector: { matchLabels: { 'mmo/game-server': 'true' } }, podMetricsEndpoints: [{ port: 'metrics' }] },
    },
  ];
}

const pool = (name: string, ...addresses: string[]): PlainObject => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name, namespace: 'metallb-system' },
  spec: { autoAssign: false, addresses },
});

/** Objects by Application, without what is derived. */
function written(): Record<string, PlainObject[]> {
  return {
    namespaces: namespaces.map(({ name, podSecurity: level, because, labels }) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        labels: { ...labels, 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/warn': level },
        annotations: { ...PROTECTED, ...(because ? { 'mmo/pod-security-reason': because } : {}) },
      },
    })),
    'sealed-credentials': [sealed('monitoring', 'grafana-admin', ['admin-user', 'admin-password'])],
    'metallb-config': [
      pool('ingress', '192.168.1.240-192.168.1.242'),
      pool('games', '192.168.1.243-192.168.1.250'),
      {
        apiVersion: 'metallb.io/v1beta1',
        kind: 'L2Advertisement',
        metadata: { name: 'lan', namespace: 'metallb-system' },
        spec: { ipAddressPools: ['ingress', 'games'] },
      },
    ],
    issuers: [
      { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: { name: 'self-signed' }, spec: { selfSigned: {} } },
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        metadata: { name: 'cluster-ca', namespace: 'cert-manager' },
        spec: { isCA: true, commonName: 'cluster-ca', secretName: 'cluster-ca', issuerRef: { kind: 'ClusterIssuer', name: 'self-signed' } },
      },
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'ClusterIssuer',
        metadata: { name: 'cluster-ca' },
        spec: { ca: { secretName: 'cluster-ca' } },
      },
    ],
    'admin-pages': [...route('monitoring', 'grafana', cluster.hosts.grafana, { name: 'grafana', port: 80 }, 'admin')],
    database: databaseObjects(),
    'connect-broker': brokerObjects(),
    realms: realmObjects(),
    instances: instanceObjects(),
    'realm-aurora': worldObjects(),
  };
}

let made: BuiltObject[] | undefined;

/** All objects of the cluster, new at each call: change them as a test needs. */
export function goodObjects(): BuiltObject[] {
  made ??= make();
  return structuredClone(made);
}

function make(): BuiltObject[] {
  const objects: BuiltObject[] = [];
  for (const [application, manifests] of Object.entries(written())) {
    for (const manifest of manifests) objects.push({ application, manifest, exceptions: [] });
  }
  const app = new App();
  const collect = (application: string, chart: Chart): void => {
    for (const { manifest } of objectsOf(chart)) objects.push({ application, manifest, exceptions: [] });
  };
  const plan = new NetworkPlan(cluster, flows);
  const owner = new Map(specs.flatMap((spec) => (spec.policiesOf ?? []).map((namespace): [string, string] => [namespace, spec.name])));
  for (const { name } of namespaces) {
    const chart = new Chart(app, `policies-${name}`, { disableResourceNameHashes: true });
    plan.emit(chart, name);
    collect(owner.get(name) ?? 'namespaces', chart);
  }
  const root = new Chart(app, ROOT, { disableResourceNameHashes: true });
  emitRoot(root, { cluster, applications: [...applications.values()], objects, charts });
  collect(ROOT, root);
  return JSON.parse(JSON.stringify(objects)) as BuiltObject[];
}

/** The cluster of the objects. @param overrides other parts than the fixture's own */
export function built(objects: readonly BuiltObject[] = goodObjects(), overrides: Partial<BuiltCluster> = {}): BuiltCluster {
  return {
    cluster,
    applications,
    objects,
    namespaces,
    flows,
    charts,
    secrets: [],
    missingSecrets: [],
    leftOut: [],
    warnings: [],
    ...overrides,
  };
}

// ---------------------------------------------------------------------------------------------------------------- changing and asking

/** `Service connect-broker/connect-broker`, or `ClusterIssuer cluster-ca`: as violations name objects. */
export function find(objects: readonly BuiltObject[], id: string): BuiltObject {
  const [kind, place = ''] = id.split(' ');
  const [namespace, name] = place.includes('/') ? place.split('/') : [undefined, place];
  const found = objects.find(
    ({ manifest }) => manifest.kind === kind && manifest.metadata.name === name && manifest.metadata.namespace === namespace,
  );
  if (!found) throw new Error(`The fixture has no ${id}.`);
  return found;
}

/** The good objects with one of them changed. */
export function changed(id: string, change: (manifest: PlainObject) => void): BuiltObject[] {
  const objects = goodObjects();
  change(find(objects, id).manifest);
  return objects;
}

/** The good objects without one of them. */
export function without(id: string): BuiltObject[] {
  const objects = goodObjects();
  objects.splice(objects.indexOf(find(objects, id)), 1);
  return objects;
}

/** The good objects and more. */
export function withMore(application: string, ...manifests: PlainObject[]): BuiltObject[] {
  return [...goodObjects(), ...manifests.map((manifest) => ({ application, manifest, exceptions: [] }))];
}

/** Lets one object depart from a rule. */
export function excepting(objects: readonly BuiltObject[], id: string, exception: Exception): BuiltObject[] {
  const target = find(objects, id);
  return objects.map((object) => (object === target ? { ...object, exceptions: [...object.exceptions, exception] } : object));
}

/** What a check finds. */
export function violationsOf(
  check: Check,
  objects: readonly BuiltObject[] = goodObjects(),
  overrides: Partial<BuiltCluster> = {},
): Violation[] {
  return check.run(new CheckInput(built(objects, overrides)));
}

/** What a check finds, as `<object> <field>: <message>`. */
export function sentencesOf(
  check: Check,
  objects: readonly BuiltObject[] = goodObjects(),
  overrides: Partial<BuiltCluster> = {},
): string[] {
  return violationsOf(check, objects, overrides).map(({ object, field, message }) => `${object}${field ? ` ${field}` : ''}: ${message}`);
}
