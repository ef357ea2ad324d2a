/**
 * The database's objects in the examples: instances, roles, archive, schedules, and that nothing deletes them.
 * It deliberately starts no PostgreSQL.
 */
import { ISSUERS } from '../../charts/cert-manager';
import { connectBroker } from '../../charts/connect-broker';
import { database, endpointPort } from '../../charts/database';
import { BROKER_DATABASE_CONNECTIONS } from '../../lib/broker-contract';
import { archiveName, CLUSTER_ISSUER, databaseHost, regionOf, sixFieldSchedule } from '../../lib/constructs/postgres';
import { OTHER_CONNECTIONS, postgresParameters } from '../../lib/constructs/postgres-parameters';
import type { PlainObject } from '../../lib/emit/manifest';
import { toYaml } from '../../lib/emit/yaml';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { judgeRemovals } from '../../lib/removals';
import { validateObject } from '../../lib/schemas';
import { type Built, build, change, find, homelab, laptop, waveOf } from './broker-fixture';

const PROTECTION = 'Prune=false,Delete=false';
const syncOptions = (object: PlainObject) => object.metadata.annotations?.['argocd.argoproj.io/sync-options'];
const masked = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replace(/"imageName":"([^":@]+)[^"]*"/g, '"imageName":"$1:<version>"'));

const built = build(database, homelab);
const onLaptop = build(database, laptop);
const cluster = find(built, 'Cluster', 'postgres-1');
const single = find(onLaptop, 'Cluster', 'postgres-1');
const { backups: _backups, ...withoutBackups } = homelab;
const second = build(database, change({ database: { generation: 2 } }));
const recovered = find(second, 'Cluster', 'postgres-2');
const atNoon = change({ database: { generation: 2, recoverTo: '2026-03-01T12:00:00+01:00' } });

describe('the database', () => {
  test.each([
    ['homelab', homelab],
    ['laptop', laptop],
  ])('of %s has only objects that the schemas accept', (_name, description) => {
    expect(
      build(database, description).objects.flatMap((object) =>
        validateObject(object).map(({ path, message }) => `${object.kind}.${path} ${message}`),
      ),
    ).toEqual([]);
  });

  test('looks like this', () => {
    expect(masked(cluster)).toMatchSnapshot('Cluster');
    expect(find(built, 'ObjectStore', 'backups')).toMatchSnapshot('ObjectStore');
    expect(find(built, 'ScheduledBackup', 'postgres-1')).toMatchSnapshot('ScheduledBackup');
  });

  test('is protected from pruning and deletion, with its store and its credentials', () => {
    expect([cluster, find(built, 'ObjectStore', 'backups')].map(syncOptions)).toEqual([PROTECTION, PROTECTION]);
    expect(built.secrets.map(({ name, protected: kept }) => [name, kept])).toEqual([
      ['role-broker-owner', true],
      ['role-broker', true],
      ['backup-s3', true],
    ]);
  });

  test('has one instance per node, each on a node of its own', () => {
    expect([cluster.spec.instances, cluster.spec.affinity]).toEqual([3, { podAntiAffinityType: 'required' }]);
  });

  test('commits on two machines, without waiting for one that is away', () => {
    expect(cluster.spec.postgresql.synchronous).toEqual({ method: 'any', number: 1, dataDurability: 'preferred' });
  });

  test('on a single node asks for no replica, no anti-affinity, and no budget that would hold up a drain for ever', () => {
    expect(single.spec).toMatchObject({ instances: 1, enablePDB: false });
    expect(single.spec).not.toHaveProperty('affinity');
    expect(single.spec.postgresql).not.toHaveProperty('synchronous');
  });

  test('leaves the budget to the operator where there are replicas', () => {
    expect(cluster.spec).not.toHaveProperty('enablePDB');
  });

  test('has no access for superusers from the network', () => {
    expect(cluster.spec).not.toHaveProperty('enableSuperuserAccess');
  });

  test('lets in its two roles by TLS and refuses everybody else', () => {
    expect(cluster.spec.postgresql.pg_hba).toEqual([
      'hostssl broker broker all scram-sha-256',
      'hostssl broker broker_owner all scram-sha-256',
      'host all all all reject',
    ]);
  });

  test('has memory that the node has put aside', () => {
    expect(cluster.spec.resources).toEqual({ requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '512Mi' } });
  });

  test('names the storage class only where the description does', () => {
    expect([cluster.spec.storage, single.spec.storage]).toEqual([{ size: '10Gi', storageClass: 'longhorn' }, { size: '1Gi' }]);
  });

  test('takes passwords of the same identity as the broker, each sealed for its own namespace', () => {
    const passwords = ({ secrets }: Built) =>
      secrets.flatMap(({ namespace, keys }) => (keys.password ? [{ namespace, value: keys.password.value }] : []));
    expect([...passwords(built), ...passwords(build(connectBroker, homelab))]).toEqual([
      { namespace: 'database', value: 'database/broker-owner-password' },
      { namespace: 'database', value: 'database/broker-password' },
      { namespace: 'connect-broker', value: 'database/broker-password' },
      { namespace: 'connect-broker', value: 'database/broker-owner-password' },
    ]);
  });

  test('takes a changed password and a renewed certificate without a restart', () => {
    const reload = { 'cnpg.io/reload': 'true' };
    expect(built.secrets.filter(({ type }) => type === 'kubernetes.io/basic-auth').map(({ labels }) => labels)).toEqual([reload, reload]);
    expect(find(built, 'Certificate', 'postgres-server').spec.secretTemplate.labels).toEqual(reload);
  });

  test('has user names in its credentials that are those of its roles', () => {
    const names = built.secrets.flatMap(({ keys }) =>
      keys.username && 'literal' in keys.username.source ? [keys.username.source.literal] : [],
    );
    expect(names).toEqual([cluster.spec.bootstrap.initdb.owner, cluster.spec.managed.roles[0].name]);
  });

  test('is monitored by a PodMonitor of ours and not by the deprecated switch', () => {
    expect(find(built, 'PodMonitor', 'postgres').spec.selector.matchLabels).toEqual({ 'cnpg.io/cluster': 'postgres-1' });
    expect(cluster.spec).not.toHaveProperty('monitoring');
  });

  test('has alerts of replicas only where there are replicas, and of archives only where there are backups', () => {
    const alerts = (from: Built) =>
      find(from, 'PrometheusRule', 'postgres').spec.groups[0].rules.map(({ alert }: { alert: string }) => alert);
    expect(alerts(built)).toEqual(expect.arrayContaining(['PostgresReplicaMissing', 'PostgresBackupTooOld']));
    expect(alerts(onLaptop)).toEqual(['PostgresDown', 'PostgresVolumeFilling', 'PostgresConnectionsScarce']);
  });
});

describe("the database's certificate", () => {
  test('is valid for the name under which the broker connects', () => {
    expect(find(built, 'Certificate', 'postgres-server').spec.dnsNames).toContain(databaseHost(resolveCluster(homelab)));
  });

  test("is signed by the authority whose certificate the broker's Secret carries", () => {
    const issuerOf = (from: Built, name: string) => find(from, 'Certificate', name).spec.issuerRef;
    expect(issuerOf(built, 'postgres-server')).toEqual(issuerOf(build(connectBroker, homelab), 'database-ca'));
  });

  test('comes from the issuer that cert-manager has', () => {
    expect(CLUSTER_ISSUER).toBe(ISSUERS.ca);
  });

  test('gives nobody else the right to replicate: clients are verified by the operator’s own authority', () => {
    expect(cluster.spec.certificates).toEqual({ serverTLSSecret: 'postgres-server', serverCASecret: 'postgres-server' });
  });

  test('is there before the Cluster, which waits for it', () => {
    expect([waveOf(find(built, 'Certificate', 'postgres-server')), waveOf(cluster)]).toEqual(['-1', undefined]);
  });
});

describe("the database's connections", () => {
  const broker = resolveCluster(change({ broker: { maxReplicas: 20 } }));

  test('suffice for every replica that autoscaling and an update may start', () => {
    const limit = find(build(database, change({ broker: { maxReplicas: 20 } })), 'Cluster', 'postgres-1').spec;
    const needed = (broker.broker.maxReplicas + 1) * (BROKER_DATABASE_CONNECTIONS.pool + BROKER_DATABASE_CONNECTIONS.listener);
    expect(limit.managed.roles[0].connectionLimit).toBe(needed);
    expect(Number(limit.postgresql.parameters.max_connections)).toBe(needed + OTHER_CONNECTIONS);
  });
});

describe("the database's parameters", () => {
  const megabytes = (text: string | undefined) => Number(/^(\d+)MB$/.exec(text ?? '')?.[1]);

  test('keep the write-ahead log well below a small volume', () => {
    const { max_wal_size, wal_keep_size, max_slot_wal_keep_size } = postgresParameters({
      memory: '256Mi',
      storage: '1Gi',
      clientConnections: 10,
    });
    expect(megabytes(max_wal_size) + megabytes(wal_keep_size) + megabytes(max_slot_wal_keep_size)).toBeLessThan(512);
  });

  test('keep no more of it on a big volume than the defaults do', () => {
    expect(postgresParameters({ memory: '4Gi', storage: '1Ti', clientConnections: 10 })).toMatchObject({
      max_wal_size: '1024MB',
      wal_keep_size: '512MB',
    });
  });

  test('give a quarter of the memory to buffers, with a unit', () => {
    expect(postgresParameters({ memory: '512Mi', storage: '10Gi', clientConnections: 10 }).shared_buffers).toBe('128MB');
  });

  test('are refused for a quantity that is none', () => {
    expect(() => postgresParameters({ memory: 'much', storage: '1Gi', clientConnections: 10 })).toThrow(
      "'much' is not a quantity of bytes such as '512Mi'.",
    );
  });
});

describe("the database's backups", () => {
  test('archive under a name that carries the generation', () => {
    expect(cluster.spec.plugins).toEqual([
      {
        name: 'barman-cloud.cloudnative-pg.io',
        enabled: true,
        isWALArchiver: true,
        parameters: { barmanObjectName: 'backups', serverName: 'postgres-1' },
      },
    ]);
  });

  test('never archive a recovered generation over the one that it came from', () => {
    const { spec } = recovered;
    expect(spec.externalClusters[0].plugin.parameters.serverName).toBe('postgres-1');
    expect(spec.plugins[0].parameters.serverName).toBe('postgres-2');
  });

  test('are needed for a generation that is recovered from them', () => {
    expect(() => build(database, { ...withoutBackups, database: { generation: 2 } })).toThrow(
      'database.generation: 2 means that the database is recovered from the archive of generation 1, but the description has no backups',
    );
  });

  test('are left out, with plugin, store and credentials, where the description has none', () => {
    const without = build(database, withoutBackups);
    expect(find(without, 'Cluster', 'postgres-1').spec).not.toHaveProperty('plugins');
    expect(without.objects.map(({ kind }) => kind)).not.toEqual(expect.arrayContaining(['ObjectStore']));
    expect(without.secrets.map(({ name }) => name)).toEqual(['role-broker-owner', 'role-broker']);
  });

  test('begin at once and go on by a schedule that counts seconds', () => {
    expect(find(built, 'ScheduledBackup', 'postgres-1').spec).toMatchObject({
      immediate: true,
      method: 'plugin',
      schedule: '0 15 3 * * *',
    });
  });

  test('come after the Cluster, and their store before it', () => {
    expect([waveOf(find(built, 'ObjectStore', 'backups')), waveOf(find(built, 'ScheduledBackup', 'postgres-1'))]).toEqual(['-1', '1']);
  });

  test('send no checksums that stores other than Amazon’s refuse', () => {
    expect(find(built, 'ObjectStore', 'backups').spec.instanceSidecarConfiguration.env).toEqual(
      expect.arrayContaining([{ name: 'AWS_REQUEST_CHECKSUM_CALCULATION', value: 'when_required' }]),
    );
  });

  test('refuse a schedule that already counts seconds', () => {
    expect(() => sixFieldSchedule('0 15 3 * * *')).toThrow("'0 15 3 * * *' has 6 fields; a cron schedule has five");
  });

  test.each([
    ['https://s3.eu-central-003.backblazeb2.com', 'eu-central-003'],
    ['https://s3.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['https://s3.example.org', undefined],
    ['https://store.example.org:9000', undefined],
  ])('of %s are signed for region %s', (endpoint, region) => {
    expect(regionOf(endpoint)).toBe(region);
  });

  test.each([
    ['https://s3.eu-west-1.amazonaws.com', 443],
    ['https://store.example.org:9000', 9000],
  ])('of %s leave by port %d', (endpoint, port) => {
    expect(endpointPort(endpoint)).toBe(port);
  });

  test('of two generations never share a name', () => {
    expect(archiveName(1)).not.toBe(archiveName(2));
  });
});

describe('a recovered database', () => {
  test('is an object of its own beside the one that it comes from, which no sync touches then', () => {
    const clusters = ({ objects }: Built) => objects.filter(({ kind }) => kind === 'Cluster').map(({ metadata }) => metadata.name);
    expect([clusters(built), clusters(second)]).toEqual([['postgres-1'], ['postgres-2']]);
  });

  test('is made from the archive of the generation before it, to its end', () => {
    expect(recovered.spec.bootstrap).toEqual({
      recovery: { database: 'broker', owner: 'broker_owner', secret: { name: 'role-broker-owner' }, source: 'postgres-1' },
    });
  });

  test('stops at the time that the description names', () => {
    const { spec } = find(build(database, atNoon), 'Cluster', 'postgres-2');
    expect(spec.bootstrap.recovery.recoveryTarget).toEqual({ targetTime: '2026-03-01T12:00:00+01:00' });
  });

  test('with a time has only objects that the schemas accept', () => {
    expect(build(database, atNoon).objects.flatMap((object) => validateObject(object))).toEqual([]);
  });

  test('leaves its time a text in the YAML, which parsers would read as a date', () => {
    const cluster = find(build(database, atNoon), 'Cluster', 'postgres-2');
    expect(toYaml(cluster)).toContain(`targetTime: "2026-03-01T12:00:00+01:00"`);
  });

  test('has the flows, and an earlier one that still runs has none: it neither serves nor archives', () => {
    const named = (component: typeof database) =>
      (component.flows?.(resolveCluster(change({ database: { generation: 2 } }))) ?? [])
        .flatMap(({ from, to }) => [from, to])
        .flatMap((peer) => ('labels' in peer && peer.namespace === 'database' ? [peer.labels] : []));
    const labels = new Set([...named(database), ...named(connectBroker)].map((each) => JSON.stringify(each)));
    expect([...labels]).toEqual(['{"cnpg.io/cluster":"postgres-2"}']);
  });

  test('keeps the name of its policy, so that nothing is left over that would let the earlier one out', () => {
    const policies = (description: ClusterDescription) =>
      (database.flows?.(resolveCluster(description)) ?? []).flatMap(({ from }) =>
        'labels' in from && from.namespace === 'database' ? [from.name] : [],
      );
    expect(new Set([...policies(homelab), ...policies(change({ database: { generation: 2 } }))])).toEqual(new Set(['postgres']));
  });

  test('is where the broker goes, by a name that its certificate carries', () => {
    const config = find(build(connectBroker, change({ database: { generation: 2 } })), 'ConfigMap', 'connect-broker-config').data;
    const host = 'postgres-2-rw.database.svc.cluster.local';
    expect(Object.values(config).join()).toContain(`"${host}"`);
    expect(find(second, 'Certificate', 'postgres-server').spec.dnsNames).toContain(host);
  });

  test('makes its first base backup at once, which only a new ScheduledBackup does', () => {
    expect(find(second, 'ScheduledBackup', 'postgres-2').spec).toMatchObject({ cluster: { name: 'postgres-2' }, immediate: true });
  });

  test('is the only one that is watched', () => {
    expect(find(second, 'PodMonitor', 'postgres').spec.selector.matchLabels).toEqual({ 'cnpg.io/cluster': 'postgres-2' });
    const rules = find(second, 'PrometheusRule', 'postgres').spec.groups[0].rules as { alert: string; expr: string }[];
    expect(rules.filter(({ expr }) => !/(pod|persistentvolumeclaim)=~"postgres-2-\[0-9\]\+"/.test(expr))).toEqual([]);
  });

  test('takes the place of the protected one only when that is released by its name, and then nothing deletes the old', () => {
    const path = ({ kind, metadata }: PlainObject) => `homelab/database/database/${kind}.${metadata.name}.yaml`;
    const removed = path(cluster);
    const judge = (released: readonly string[]) =>
      judgeRemovals(new Map([[removed, toYaml(cluster)]]), [removed], second.objects.map(path), released);
    expect(judge([]).refusals).toEqual([expect.stringContaining('npm run synth -- --release Cluster/database/postgres-1')]);
    expect(judge(['Cluster/database/postgres-1'])).toMatchObject({
      refusals: [],
      steps: expect.arrayContaining(['kubectl -n database annotate cluster.postgresql.cnpg.io postgres-1 argocd.argoproj.io/tracking-id-']),
    });
  });

  test('is never the first: a time to recover to is refused without a generation to recover', () => {
    expect(() => build(database, change({ database: { recoverTo: '2026-03-01T12:00:00Z' } }))).toThrow(
      "database.recoverTo: generation 1 is made new and empty, so there is nothing to recover up to '2026-03-01T12:00:00Z'",
    );
  });

  test.each(['2026-03-01 12:00', '2026-03-01T12:00:00', '2026-13-01T12:00:00Z', 'yesterday'])('refuses the time %s', (recoverTo) => {
    expect(() => build(database, change({ database: { generation: 2, recoverTo } }))).toThrow(
      `database.recoverTo: '${recoverTo}' is not a time with its offset from UTC, such as`,
    );
  });
});

describe("the database's flows", () => {
  const to = (description: ClusterDescription, outside: string) =>
    (database.flows?.(resolveCluster(description)) ?? []).filter((flow) => 'outside' in flow.to && flow.to.outside === outside);

  test('lead to the Internet only by the port of the object store', () => {
    expect(to(homelab, 'internet').map(({ ports }) => ports)).toEqual([[{ port: 443 }]]);
  });

  test('do not lead to the Internet without backups', () => {
    expect(to(withoutBackups, 'internet')).toEqual([]);
  });

  test('let an instance reach the API server, without which it stops itself', () => {
    expect(to(homelab, 'api-server')).toHaveLength(1);
  });
});
