/**
 * The connect broker's objects in the examples: replicas, rights, ports, policies, the migration before it.
 * It deliberately does not run the program; services/connect-broker/test/operations/contract.test.ts holds it to these objects.
 */
import { App, Chart } from 'cdk8s';
import { connectBroker } from '../../charts/connect-broker';
import {
  BROKER_COMMANDS,
  BROKER_ENVIRONMENT,
  BROKER_FILES,
  BROKER_OPERATIONS,
  BROKER_SHUTDOWN_SECONDS,
  BROKER_TOKEN_SECONDS,
  type BrokerConfig,
} from '../../lib/broker-contract';
import { objectsOf, type PlainObject } from '../../lib/emit/manifest';
import { type Cluster, resolveCluster } from '../../lib/model/cluster';
import { NetworkPlan } from '../../lib/network-policies';
import { BROKER_AUTOSCALER_URL, BROKER_INTERNAL_URL, BROKER_PORTS, LABELS, NAMESPACES, WORKLOADS } from '../../lib/platform';
import { validateObject } from '../../lib/schemas';
import { type Built, build, change, find, homelab, laptop, waveOf } from './broker-fixture';

const masked = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value)
      .replace(/"image":"([^":@]+)[^"]*"/g, '"image":"$1:<version>"')
      .replace(/"mmo\/config-hash":"[^"]*"/g, '"mmo/config-hash":"<hash>"'),
  );

const built = build(connectBroker, homelab);
const deployment = find(built, 'Deployment', 'connect-broker');
const job = find(built, 'Job', 'connect-broker-migrate');
const pods: readonly (readonly [string, PlainObject])[] = [
  ['server', deployment.spec.template],
  ['migration', job.spec.template],
];
const configOf = (from: Built): BrokerConfig => JSON.parse(find(from, 'ConfigMap', 'connect-broker-config').data['config.json']);
const flowsOf = (cluster: Cluster) => connectBroker.flows?.(cluster) ?? [];

describe('the connect broker', () => {
  test.each([
    ['homelab', homelab],
    ['laptop', laptop],
  ])('of %s has only objects that the schemas accept', (_name, description) => {
    expect(
      build(connectBroker, description).objects.flatMap((object) =>
        validateObject(object).map(({ path, message }) => `${object.kind}.${path} ${message}`),
      ),
    ).toEqual([]);
  });

  test('looks like this', () => {
    expect(masked(deployment)).toMatchSnapshot('Deployment');
    expect(masked(job)).toMatchSnapshot('Job');
    expect(configOf(built)).toMatchSnapshot('configuration');
  });

  test('has no replicas in Git, because the autoscaler owns them', () => {
    expect(deployment.spec).not.toHaveProperty('replicas');
  });

  test('scales between two replicas and the maximum of the description', () => {
    const { minReplicas, maxReplicas } = find(built, 'HorizontalPodAutoscaler', 'connect-broker').spec;
    expect([minReplicas, maxReplicas]).toEqual([2, 4]);
  });

  test('keeps all replicas during an update', () => {
    expect(deployment.spec.strategy).toEqual({ rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  });

  test('lets a node with a replica that cannot serve be drained', () => {
    expect(find(built, 'PodDisruptionBudget', 'connect-broker').spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
  });

  test('spreads over nodes without insisting on it', () => {
    expect(deployment.spec.template.spec.topologySpreadConstraints[0]).toMatchObject({
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
    });
  });

  test.each(pods)('runs the %s as a user without rights on a read-only root', (_name, template) => {
    expect(template.spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(template.spec.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test.each(pods)('gives the %s memory that the node has put aside', (_name, template) => {
    const { requests, limits } = template.spec.containers[0].resources;
    expect(limits).toEqual({ memory: requests.memory });
  });

  test.each(pods)('mounts nothing writable into the %s but /tmp', (_name, template) => {
    const writable = template.spec.containers[0].volumeMounts.filter((mount: { readOnly?: boolean }) => !mount.readOnly);
    expect(writable).toEqual([{ name: 'tmp', mountPath: BROKER_FILES.temporary }]);
  });

  test.each(pods)('mounts whole directories into the %s, because a subPath is never renewed', (_name, template) => {
    expect(JSON.stringify(template.spec.containers[0].volumeMounts)).not.toContain('subPath');
  });

  test('gives a token for the Kubernetes API to the server alone', () => {
    expect(pods.map(([, template]) => template.spec.automountServiceAccountToken)).toEqual([true, false]);
  });

  test('gives the owner of the schema to the migration alone', () => {
    const secretsOf = (template: PlainObject): string[] =>
      template.spec.volumes.flatMap((volume: { secret?: { secretName: string } }) => volume.secret?.secretName ?? []);
    expect(secretsOf(deployment.spec.template)).toEqual(['database-broker', 'database-ca', 'netcode-keys', 'session-keys']);
    expect(secretsOf(job.spec.template)).toEqual(['database-owner', 'database-ca']);
  });

  test('mounts of the authority only its certificate, never the private key beside it', () => {
    const volume = deployment.spec.template.spec.volumes.find(({ name }: { name: string }) => name === 'database-ca');
    expect(volume.secret.items).toEqual([{ key: 'ca.crt', path: 'ca.crt' }]);
  });

  test('asks for a certificate that can be no server of any name', () => {
    const { usages, dnsNames, ipAddresses } = find(built, 'Certificate', 'database-ca').spec;
    expect({ usages, dnsNames, ipAddresses }).toEqual({ usages: ['client auth'], dnsNames: undefined, ipAddresses: undefined });
  });

  test('migrates in a Sync hook that makes way for its next run', () => {
    expect(job.metadata.annotations).toEqual({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
      'argocd.argoproj.io/sync-wave': '0',
    });
  });

  test('has everything that the migration mounts in an earlier wave, and the new program in a later one', () => {
    expect(waveOf(find(built, 'ConfigMap', 'connect-broker-config'))).toBe('-1');
    expect(waveOf(find(built, 'Certificate', 'database-ca'))).toBe('-1');
    expect(waveOf(find(built, 'ServiceAccount', 'connect-broker-migrate'))).toBe('-1');
    expect(built.secrets.map((secret) => secret.annotations?.['argocd.argoproj.io/sync-wave'])).toEqual(['-1', '-1', '-1', '-1']);
    expect(waveOf(deployment)).toBe('1');
  });

  test('has one right in the whole cluster: to create TokenReviews', () => {
    expect(find(built, 'ClusterRole', 'connect-broker-token-review').rules).toEqual([
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    ]);
  });

  test('rolls when its configuration changes', () => {
    const hash = (from: Built) => find(from, 'Deployment', 'connect-broker').spec.template.metadata.annotations['mmo/config-hash'];
    expect(hash(build(connectBroker, change({ broker: { registration: 'open' } })))).not.toBe(hash(built));
  });

  test('publishes only the port of players by a route', () => {
    const services = built.objects
      .filter(({ kind }) => kind === 'IngressRoute')
      .flatMap(({ spec }) => spec.routes.flatMap((route: { services: { name: string }[] }) => route.services.map(({ name }) => name)));
    expect([...new Set(services)]).toEqual(['connect-broker']);
  });

  test('is scraped replica by replica, ready or not', () => {
    expect(find(built, 'Service', 'connect-broker-metrics').spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  });

  test('has a monitor that selects exactly the Service with the metrics', () => {
    const { matchLabels } = find(built, 'ServiceMonitor', 'connect-broker').spec.selector;
    const selected = built.objects.filter(
      ({ kind, metadata }) => kind === 'Service' && Object.entries(matchLabels).every(([key, value]) => metadata.labels?.[key] === value),
    );
    expect(selected.map(({ metadata }) => metadata.name)).toEqual(['connect-broker-metrics']);
  });
});

describe("the broker's configuration", () => {
  test('names for each continent where the LAN and where the Internet reach it', () => {
    expect(configOf(built).realms[0]?.continents[0]).toMatchObject({
      name: 'eldermoor',
      lan: { address: '192.168.1.245', port: expect.any(Number) },
      public: { address: '203.0.113.7' },
    });
  });

  test("takes a node's own public address where the world is on that node's port", () => {
    expect(configOf(build(connectBroker, laptop)).realms[0]?.continents[0]?.public).toEqual({ address: '127.0.0.1', port: 40000 });
  });

  test('has no public addresses when the home has none', () => {
    const { publicAddress: _, ...network } = homelab.network;
    expect(JSON.stringify(configOf(build(connectBroker, change({ network }))))).not.toContain('"public"');
  });

  test('leaves out realms that are retired', () => {
    const realms = (homelab.realms ?? []).map((realm) => (realm.name === 'aurora' ? { ...realm, state: 'retired' as const } : realm));
    expect(configOf(build(connectBroker, change({ realms }))).realms.map(({ name }) => name)).toEqual(['borealis']);
  });

  test('names no namespace of instances where there are none', () => {
    expect(configOf(build(connectBroker, change({ instances: [] }))).kubernetes).toEqual({ audience: 'connect-broker' });
  });

  test('holds no secret', () => {
    expect(JSON.stringify(configOf(built))).not.toMatch(/password|secret/i);
  });
});

describe("the broker's secrets", () => {
  const keysOf = (from: Built, name: string) => from.secrets.find((secret) => secret.name === name)?.keys ?? {};

  test('hold a copy of the netcode key of every realm and content type, by the identity of the original', () => {
    expect(Object.fromEntries(Object.entries(keysOf(built, 'netcode-keys')).map(([key, { value }]) => [key, value]))).toEqual({
      'realm.aurora.1': 'netcode/realm/aurora/1',
      'realm.borealis.1': 'netcode/realm/borealis/1',
      'instance.dungeon.1': 'netcode/instance/dungeon/1',
      'instance.battleground.1': 'netcode/instance/battleground/1',
    });
  });

  test('hold the previous generation too while servers that started with it still run', () => {
    const realms = (homelab.realms ?? []).map((realm) => ({ ...realm, netcodeKeyGeneration: 3 }));
    expect(Object.keys(keysOf(build(connectBroker, change({ realms, instances: [] })), 'netcode-keys'))).toEqual([
      'realm.aurora.2',
      'realm.aurora.3',
      'realm.borealis.2',
      'realm.borealis.3',
    ]);
  });

  test("keep a retired realm's key, because its world may come back", () => {
    const realms = (homelab.realms ?? []).map((realm) => ({ ...realm, state: 'retired' as const }));
    expect(Object.keys(keysOf(build(connectBroker, change({ realms, instances: [] })), 'netcode-keys'))).toEqual([
      'realm.aurora.1',
      'realm.borealis.1',
    ]);
  });
});

describe("the broker's flows", () => {
  const cluster = resolveCluster(homelab);
  const policies = (() => {
    const chart = new Chart(new App(), 'policies');
    new NetworkPlan(cluster, flowsOf(cluster)).emit(chart, 'connect-broker');
    return objectsOf(chart).map(({ manifest }) => manifest);
  })();
  const policy = (name: string) => policies.find(({ metadata }) => metadata.name === name)?.spec;

  test('let nobody but Traefik reach the port of players', () => {
    const sources = flowsOf(cluster).filter(
      ({ to, ports }) => to === WORKLOADS.broker && ports.some(({ port }) => port === BROKER_PORTS.http),
    );
    expect(sources.map(({ from }) => ('namespace' in from ? from.namespace : from))).toEqual(['traefik']);
  });

  /** Who is let in to a port of the broker, by the labels of namespaces. A rule without ports would let its senders in to all of them. */
  const sendersTo = (to: number): unknown[] =>
    policy('connect-broker')
      .ingress.filter(({ ports }: { ports?: { port: number }[] }) => ports === undefined || ports.some(({ port }) => port === to))
      .flatMap(({ from }: { from?: { namespaceSelector?: { matchLabels?: object } }[] }) => from ?? ['everybody'])
      .map((peer: { namespaceSelector?: { matchLabels?: object } }) => peer.namespaceSelector?.matchLabels ?? peer);

  test('let game servers alone reach the internal port', () => {
    expect(sendersTo(BROKER_PORTS.internal)).toEqual([{ [LABELS.role]: 'game' }]);
  });

  test('let agones-system alone reach the port of the autoscaler', () => {
    expect(sendersTo(BROKER_PORTS.autoscaler)).toEqual([{ 'kubernetes.io/metadata.name': 'agones-system' }]);
  });

  test('let no game server out to the port of the autoscaler', () => {
    const chart = new Chart(new App(), 'game-policies');
    const plan = new NetworkPlan(cluster, flowsOf(cluster));
    for (const namespace of [NAMESPACES.instances, ...cluster.realms.map((realm) => realm.namespace)]) plan.emit(chart, namespace);
    const out = objectsOf(chart).flatMap(({ manifest }) => manifest.spec.egress ?? []);
    const ports = out.flatMap(({ ports }: { ports?: { port: number }[] }): (number | 'all')[] => ports?.map(({ port }) => port) ?? ['all']);
    expect(ports).toContain(BROKER_PORTS.internal);
    expect(ports).not.toContain(BROKER_PORTS.autoscaler);
    expect(ports).not.toContain('all');
  });

  test('let Agones in only where there are instances', () => {
    const without = resolveCluster(change({ instances: [] }));
    expect(JSON.stringify(flowsOf(without))).not.toContain('agones');
  });

  test('let the migration reach nothing but the database', () => {
    expect(policy('connect-broker-migrate')).toMatchObject({ policyTypes: ['Egress'], egress: [{ ports: [{ port: 5432 }] }] });
  });

  test('give the broker no way to the Internet', () => {
    expect(flowsOf(cluster).filter(({ to }) => 'outside' in to && to.outside === 'internet')).toEqual([]);
  });
});

describe('the contract with the program', () => {
  const container = deployment.spec.template.spec.containers[0];

  test('names the arguments of both pods', () => {
    expect([container.args, job.spec.template.spec.containers[0].args]).toEqual([BROKER_COMMANDS.serve, BROKER_COMMANDS.migrate]);
  });

  test('names every environment variable that the pods set', () => {
    expect(container.env.map(({ name }: { name: string }) => name)).toEqual(Object.values(BROKER_ENVIRONMENT));
  });

  test('says how long the audit log is kept where it is not a year', () => {
    const kept = (auditRetentionDays: number) => configOf(build(connectBroker, change({ broker: { auditRetentionDays } }))).audit;
    expect([kept(366), kept(800)]).toEqual([undefined, { retentionDays: 800 }]);
  });

  test('names every path that is mounted', () => {
    const everything = build(
      connectBroker,
      change({
        broker: {
          openId: [{ name: 'authelia', title: 'Authelia', issuer: 'https://auth.example.org', clientId: 'mmo' }],
          mail: { from: 'MMO <mmo@example.org>' },
        },
      }),
    );
    const { volumeMounts } = find(everything, 'Deployment', 'connect-broker').spec.template.spec.containers[0];
    const mounted = volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    const covered = Object.values(BROKER_FILES).filter((path) =>
      mounted.some((mount: string) => path === mount || path.startsWith(`${mount}/`)),
    );
    expect(covered).toEqual(Object.values(BROKER_FILES));
    expect(mounted).toHaveLength(covered.length);
  });

  test.each([
    ['game servers', BROKER_INTERNAL_URL, 'internal'],
    ['Agones', BROKER_AUTOSCALER_URL, 'autoscaler'],
  ] as const)('leads %s by the Service of their address to the port that the program opens for them', (_who, address, port) => {
    const { hostname, port: number } = new URL(address);
    const service = find(built, 'Service', hostname.split('.')[0] ?? '');
    expect(hostname).toBe(`${service.metadata.name}.${service.metadata.namespace}.svc.cluster.local`);
    expect(service.spec.ports).toEqual([{ name: port, port: Number(number), targetPort: port }]);
    expect(container.ports).toContainEqual({ name: port, containerPort: configOf(built).ports[port] });
  });

  test('puts probes on the port that neither players nor game servers reach', () => {
    expect([container.startupProbe, container.readinessProbe, container.livenessProbe].map(({ httpGet }) => httpGet)).toEqual(
      [BROKER_OPERATIONS.startup, BROKER_OPERATIONS.ready, BROKER_OPERATIONS.live].map((path) => ({ path, port: 'metrics' })),
    );
  });

  test('gives requests in flight time after the pod has stopped being an endpoint', () => {
    expect(BROKER_SHUTDOWN_SECONDS.grace).toBeGreaterThan(BROKER_SHUTDOWN_SECONDS.drain);
    expect(deployment.spec.template.spec.terminationGracePeriodSeconds).toBe(BROKER_SHUTDOWN_SECONDS.grace);
  });

  test('keeps a token alive for longer than a client needs to try both addresses', () => {
    expect(BROKER_TOKEN_SECONDS.lifetime).toBeGreaterThan(BROKER_TOKEN_SECONDS.timeout * (2 - 1));
  });
});
