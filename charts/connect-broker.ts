/**
 * The connect broker: the players' single entry point, its migration, Services, route, rights, monitoring and secrets.
 * It deliberately grants nothing in other namespaces: realms and instances each give the broker its Role, so that removing one removes the right.
 */

import { basename as fileName } from 'node:path/posix';
import type { Chart } from 'cdk8s';
import { workload } from '../argocd/catalog/workloads';
import { PrometheusRule, ServiceMonitor } from '../imports/monitoring.coreos.com';
import { BROKER_FILES, BROKER_PORT_NAMES, BROKER_STREAMING_PATHS } from '../lib/broker-contract';
import { type BuildContext, type Component, labels, syncWave } from '../lib/component';
import { addBrokerMigration, addBrokerPrerequisites, addBrokerServer, BROKER_OBJECTS, BROKER_WAVES } from '../lib/constructs/broker';
import { BROKER_ALERTS } from '../lib/constructs/broker-alerts';
import {
  brokerKeyName,
  generationKey,
  instanceKeyIdentity,
  keyGenerations,
  netcodeKey,
  realmKeyIdentity,
} from '../lib/constructs/netcode-keys';
import { applicationPassword, ownerPassword } from '../lib/constructs/postgres-secrets';
import { publicRoute } from '../lib/constructs/routes';
import { add } from '../lib/emit/manifest';
import type { Flow } from '../lib/flows';
import { IntOrString, KubeClusterRole, KubeClusterRoleBinding, KubeService } from '../lib/k8s';
import type { Cluster } from '../lib/model/cluster';
import {
  BROKER_AUTOSCALER_SERVICE,
  BROKER_INTERNAL_SERVICE,
  BROKER_PORTS,
  BROKER_SERVICE,
  DATABASE,
  gameServers,
  NAMESPACES,
  POSTGRES_PORT,
  WORKLOADS,
} from '../lib/platform';
import type { SecretKey } from '../lib/secrets/spec';

/** Name of the Service that Prometheus scrapes, and of the scrape job. */
const BROKER_METRICS_SERVICE = 'connect-broker-metrics';
/** Port of the Service that Traefik leads to. */
const HTTP_SERVICE_PORT = 80;
/** Generation of the key under which session tokens are hashed. A new one is added before the old one goes, otherwise everybody is logged out. */
const SESSION_KEY_GENERATION = 1;

const namespace = NAMESPACES.broker;

export const connectBroker: Component = {
  name: 'connect-broker',
  summary: "The players' entry point: accounts, sessions, realms, queues and connect tokens.",
  namespaces: () => [{ name: namespace, podSecurity: 'restricted' }],
  flows,
  applications: (cluster) => [
    {
      name: 'connect-broker',
      project: 'game',
      namespace,
      needs: [
        'cert-manager-config',
        'database',
        'prometheus-operator-crds',
        'sealed-secrets',
        'traefik-config',
        // Its autoscaler asks for the pods' CPU.
        ...(cluster.kubernetes.metricsServer === 'install' ? ['metrics-server'] : []),
        // Watching Fleets and allocating needs Agones' kinds.
        ...(cluster.instances.length > 0 ? ['agones'] : []),
      ],
      policiesOf: [namespace],
      build: (chart, context) => {
        addSecrets(chart, context);
        addBrokerPrerequisites(chart, cluster);
        addBrokerMigration(chart);
        addBrokerServer(chart, cluster);
        addServices(chart);
        addRights(chart);
        addMonitoring(chart);
        publicRoute(chart, context, {
          namespace,
          name: 'connect-broker',
          host: cluster.hosts.broker,
          service: { name: BROKER_SERVICE, port: HTTP_SERVICE_PORT },
          streamingPaths: BROKER_STREAMING_PATHS,
        });
      },
    },
  ],
};

function flows(cluster: Cluster): readonly Flow[] {
  const { broker, brokerMigration } = WORKLOADS;
  const database = WORKLOADS.database(cluster);
  const games = gameServers(cluster);
  return [
    {
      from: workload('traefik', 'traefik'),
      to: broker,
      ports: [{ port: BROKER_PORTS.http }],
      because: 'Players come through Traefik, and only through it.',
    },
    ...(games.members.length > 0
      ? [
          {
            from: games,
            to: broker,
            ports: [{ port: BROKER_PORTS.internal }],
            because: 'Game servers claim sessions and report who is there.',
          },
        ]
      : []),
    ...(cluster.instances.length > 0
      ? [
          {
            from: workload('agones', 'agones-controller'),
            to: broker,
            ports: [{ port: BROKER_PORTS.autoscaler }],
            because: 'A FleetAutoscaler of the webhook kind asks the broker how many servers a Fleet needs.',
          },
        ]
      : []),
    {
      from: workload('kube-prometheus-stack', 'prometheus'),
      to: broker,
      ports: [{ port: BROKER_PORTS.metrics }],
      because: 'Prometheus reads its metrics.',
    },
    {
      from: broker,
      to: { outside: 'api-server' },
      ports: [{ port: cluster.kubernetes.apiServer.port }],
      because: 'It watches worlds and instances, allocates, and asks who a calling game server is.',
    },
    {
      from: broker,
      to: database,
      ports: [{ port: POSTGRES_PORT }],
      because: 'Accounts, sessions, characters and queues are in PostgreSQL.',
    },
    ...(cluster.broker.openId.length > 0
      ? [
          {
            from: broker,
            to: { outside: 'anywhere' } as const,
            ports: issuerPorts(cluster).map((port) => ({ port })),
            because: 'It asks the issuers of OpenID Connect, in the home or on the Internet, who somebody is.',
          },
        ]
      : []),
    ...(cluster.broker.mail
      ? [
          {
            from: broker,
            to: { outside: 'anywhere' } as const,
            ports: [{ port: cluster.broker.mail.port }],
            because: 'It hands mails with reset links to the mail server.',
          },
        ]
      : []),
    { from: brokerMigration, to: database, ports: [{ port: POSTGRES_PORT }], because: 'The migration brings the schema up to date.' },
  ];
}

/** Where the issuers of OpenID Connect listen: 443 unless their URL says another port. */
function issuerPorts(cluster: Cluster): readonly number[] {
  const ports = cluster.broker.openId.map(({ issuer }) => Number(new URL(issuer).port || 443));
  return [...new Set(ports)].sort((one, other) => one - other);
}

function addSecrets(chart: Chart, context: BuildContext): void {
  const { cluster } = context;
  const annotations = syncWave(BROKER_WAVES.prerequisites);
  const credentials = (name: string, username: string, password: SecretKey, purpose: string): void =>
    context.secret(chart, {
      namespace,
      name,
      type: 'kubernetes.io/basic-auth',
      keys: { username: { value: `database/${username}-username`, source: { literal: username } }, password },
      annotations,
      purpose,
    });
  credentials(
    BROKER_OBJECTS.applicationCredentials,
    DATABASE.application,
    applicationPassword,
    'password of the role with which the broker serves',
  );
  credentials(
    BROKER_OBJECTS.ownerCredentials,
    DATABASE.owner,
    ownerPassword,
    'password of the role that owns the schema; the migration alone uses it',
  );
  context.secret(chart, {
    namespace,
    name: BROKER_OBJECTS.sessionKeys,
    keys: Object.fromEntries(
      keyGenerations(SESSION_KEY_GENERATION).map((generation) => [
        generationKey(generation),
        {
          value: `broker/session-key/${generation}`,
          source: { generate: 'random-32-bytes' },
          whenReplaced: 'Everybody is logged out.',
        },
      ]),
    ),
    annotations,
    purpose: 'keys under which the broker hashes session tokens, so that a stolen database opens no session',
  });
  context.secret(chart, {
    namespace,
    name: BROKER_OBJECTS.netcodeKeys,
    keys: Object.fromEntries([
      ...cluster.realms.flatMap((realm) =>
        keyGenerations(realm.netcodeKeyGeneration).map((generation) => [
          brokerKeyName({ realm: realm.name }, generation),
          netcodeKey(realmKeyIdentity(realm, generation)),
        ]),
      ),
      ...cluster.instances.flatMap((type) =>
        keyGenerations(type.netcodeKeyGeneration).map((generation) => [
          brokerKeyName({ instance: type.name }, generation),
          netcodeKey(instanceKeyIdentity(type, generation)),
        ]),
      ),
    ]),
    annotations,
    purpose: 'netcode keys of all realms and content types, with which the broker makes connect tokens',
  });
  if (cluster.broker.openId.length > 0) {
    context.secret(chart, {
      namespace,
      name: BROKER_OBJECTS.openId,
      keys: Object.fromEntries(
        cluster.broker.openId.map(({ name, title, issuer }) => [
          name,
          { value: `broker/openid/${name}`, source: { ask: `Client secret of this broker at ${title} (${issuer})` } },
        ]),
      ),
      annotations,
      purpose: 'client secrets with which the broker proves itself to the issuers of OpenID Connect',
    });
  }
  if (cluster.broker.mail) {
    context.secret(chart, {
      namespace,
      name: BROKER_OBJECTS.mail,
      keys: {
        [fileName(BROKER_FILES.smtpUrl)]: {
          value: 'broker/smtp-url',
          source: {
            ask: `URL of the mail server on port ${cluster.broker.mail.port}, such as ${cluster.broker.mail.port === 465 ? 'smtps' : 'smtp'}://user:password@mail.example.org:${cluster.broker.mail.port}`,
          },
        },
      },
      annotations,
      purpose: 'where and as whom the broker sends mail',
    });
  }
}

function addServices(chart: Chart): void {
  const selector = { ...WORKLOADS.broker.labels };
  const targetPort = (port: keyof typeof BROKER_PORT_NAMES) => ({
    name: BROKER_PORT_NAMES[port],
    targetPort: IntOrString.fromString(BROKER_PORT_NAMES[port]),
  });
  const metadata = (name: string, component: string) => ({ name, namespace, labels: labels('connect-broker', component) });
  add(chart, KubeService, {
    metadata: metadata(BROKER_SERVICE, 'server'),
    spec: { selector, ports: [{ ...targetPort('http'), port: HTTP_SERVICE_PORT }] },
  });
  add(chart, KubeService, {
    metadata: metadata(BROKER_INTERNAL_SERVICE, 'internal'),
    spec: { selector, ports: [{ ...targetPort('internal'), port: BROKER_PORTS.internal }] },
  });
  add(chart, KubeService, {
    metadata: metadata(BROKER_AUTOSCALER_SERVICE, 'autoscaler'),
    spec: { selector, ports: [{ ...targetPort('autoscaler'), port: BROKER_PORTS.autoscaler }] },
  });
  add(chart, KubeService, {
    metadata: metadata(BROKER_METRICS_SERVICE, 'metrics'),
    // Each replica is scraped by itself, and one that is not ready more than any other.
    spec: {
      clusterIp: 'None',
      publishNotReadyAddresses: true,
      selector,
      ports: [{ ...targetPort('metrics'), port: BROKER_PORTS.metrics }],
    },
  });
}

/** The one cluster-wide right: to ask the API server whose token a game server shows. TokenReviews have no namespace. */
function addRights(chart: Chart): void {
  const metadata = { name: 'connect-broker-token-review', labels: labels('connect-broker', 'rights') };
  add(chart, KubeClusterRole, {
    metadata,
    rules: [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }],
  });
  add(chart, KubeClusterRoleBinding, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', name: WORKLOADS.broker.name, namespace }],
  });
}

function addMonitoring(chart: Chart): void {
  const metadata = { name: 'connect-broker', namespace, labels: labels('connect-broker', 'metrics') };
  add(chart, ServiceMonitor, {
    metadata,
    spec: {
      selector: { matchLabels: labels('connect-broker', 'metrics') },
      endpoints: [{ port: BROKER_PORT_NAMES.metrics }],
    },
  });
  add(chart, PrometheusRule, { metadata, spec: { groups: [{ name: 'connect-broker', rules: [...BROKER_ALERTS] }] } });
}
