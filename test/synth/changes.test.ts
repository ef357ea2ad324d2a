/** What a change of the description changes in dist: its own files and the lists that must name it, path by path. */
import { type Change, described, difference } from './cluster-files';

/** Paths that differ between the cluster before and after a change. */
const changed = (change: Change, before: Change = () => {}) => difference(described(before), described(before, change));

/** Players' list of worlds, and the hash by which the broker's replicas take the new list. */
const BROKER_LIST = [
  'M connect-broker/connect-broker/ConfigMap.connect-broker-config.yaml',
  'M connect-broker/connect-broker/Deployment.connect-broker.yaml',
];
const BROKER_KEYS = 'M connect-broker/connect-broker/SealedSecret.netcode-keys.yaml';
const GAME_ADDRESSES = 'M metallb-config/metallb-system/IPAddressPool.games.yaml';

const zephyr = {
  name: 'zephyr',
  exposure: { type: 'own-address' },
  continents: [{ name: 'cloudreach', address: '192.168.1.250', port: 40010 }],
};
const addRealm: Change = (d) => d.realms.push(zephyr);
const addContinent: Change = (d) => d.realms[0].continents.push({ name: 'stormwatch', address: '192.168.1.250', port: 40010 });
const retireContinent: Change = (d) => (d.realms[0].continents[0].state = 'retired');
const retireRealm: Change = (d) => (d.realms[0].state = 'retired');

const filesOfRealm = [
  'namespaces/_cluster/Namespace.realm-zephyr.yaml',
  'realm-zephyr/realm-zephyr/ConfigMap.cloudreach.yaml',
  'realm-zephyr/realm-zephyr/StatefulSet.cloudreach.yaml',
  'realms/realm-zephyr/NetworkPolicy.allow-dns.yaml',
  'realms/realm-zephyr/NetworkPolicy.default-deny.yaml',
  'realms/realm-zephyr/NetworkPolicy.game-server.yaml',
  'realms/realm-zephyr/NetworkPolicy.world-backup.yaml',
  'realms/realm-zephyr/PodDisruptionBudget.cloudreach.yaml',
  'realms/realm-zephyr/PodMonitor.game-server.yaml',
  'realms/realm-zephyr/Role.connect-broker.yaml',
  'realms/realm-zephyr/RoleBinding.connect-broker.yaml',
  'realms/realm-zephyr/SealedSecret.netcode-key.yaml',
  'realms/realm-zephyr/Service.cloudreach-public.yaml',
  'realms/realm-zephyr/Service.cloudreach.yaml',
  'realms/realm-zephyr/ServiceAccount.cloudreach.yaml',
  'root/argocd/Application.realm-zephyr.yaml',
  'world-backups/realm-zephyr/PodConfig.world-backup.yaml',
  'world-backups/realm-zephyr/Role.world-backup.yaml',
  'world-backups/realm-zephyr/RoleBinding.world-backup.yaml',
  'world-backups/realm-zephyr/Schedule.world-backup.yaml',
  'world-backups/realm-zephyr/SealedSecret.world-backup-encryption.yaml',
  'world-backups/realm-zephyr/SealedSecret.world-backup-store.yaml',
  'world-backups/realm-zephyr/ServiceAccount.world-backup.yaml',
];
/** Where the project of the game may write: it names each namespace. */
const PROJECT = 'M root/argocd/AppProject.game.yaml';

describe('a realm', () => {
  test('that is added has its own files and is named in the lists', () => {
    expect(changed(addRealm)).toEqual([...filesOfRealm.map((path) => `A ${path}`), ...BROKER_LIST, BROKER_KEYS, GAME_ADDRESSES, PROJECT]);
  });

  test('that is retired stops, and leaves its addresses', () => {
    expect(changed(retireRealm)).toEqual([
      ...BROKER_LIST,
      GAME_ADDRESSES,
      'M realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml',
      'M realm-aurora/realm-aurora/StatefulSet.sunreach.yaml',
      'D realms/realm-aurora/PodDisruptionBudget.eldermoor.yaml',
      'D realms/realm-aurora/PodDisruptionBudget.sunreach.yaml',
      'D realms/realm-aurora/Service.eldermoor-public.yaml',
      'D realms/realm-aurora/Service.sunreach-public.yaml',
    ]);
  });

  test('that is removed after it was retired leaves with its own files and the lists', () => {
    const retired: Change = (d) => d.realms.push({ ...zephyr, state: 'retired' });
    const gone = filesOfRealm.filter((path) => !/PodDisruptionBudget|Service\.cloudreach-public/.test(path));
    expect(changed((d) => d.realms.pop(), retired)).toEqual([BROKER_KEYS, PROJECT, ...gone.map((path) => `D ${path}`)]);
  });

  test('with another title changes what players see and nothing else', () => {
    expect(changed((d) => (d.realms[0].title = 'The Far North'))).toEqual(BROKER_LIST);
  });
});

describe('a continent', () => {
  test('that is added has its own files, an address and a place in the list', () => {
    expect(changed(addContinent)).toEqual([
      'A realm-aurora/realm-aurora/ConfigMap.stormwatch.yaml',
      'A realm-aurora/realm-aurora/StatefulSet.stormwatch.yaml',
      'A realms/realm-aurora/PodDisruptionBudget.stormwatch.yaml',
      'A realms/realm-aurora/Service.stormwatch-public.yaml',
      'A realms/realm-aurora/Service.stormwatch.yaml',
      'A realms/realm-aurora/ServiceAccount.stormwatch.yaml',
      ...BROKER_LIST,
      GAME_ADDRESSES,
    ]);
  });

  test('that is retired stops, and leaves its address', () => {
    expect(changed(retireContinent)).toEqual([
      ...BROKER_LIST,
      GAME_ADDRESSES,
      'M realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml',
      'D realms/realm-aurora/PodDisruptionBudget.eldermoor.yaml',
      'D realms/realm-aurora/Service.eldermoor-public.yaml',
    ]);
  });

  test('that is removed after it was retired leaves with its own files alone', () => {
    expect(changed((d) => d.realms[0].continents.shift(), retireContinent)).toEqual([
      'D realm-aurora/realm-aurora/ConfigMap.eldermoor.yaml',
      'D realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml',
      'D realms/realm-aurora/Service.eldermoor.yaml',
      'D realms/realm-aurora/ServiceAccount.eldermoor.yaml',
    ]);
  });

  test('with another title changes what players see and nothing else', () => {
    expect(changed((d) => (d.realms[0].continents[0].title = 'The Old Moor'))).toEqual(BROKER_LIST);
  });

  test('with more storage changes its own StatefulSet and nothing else', () => {
    expect(changed((d) => (d.realms[0].continents[0].storage = '40Gi'))).toEqual([
      'M realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml',
    ]);
  });
});

describe('a content type', () => {
  const arena = { name: 'arena', capacity: 10, autoscaling: { policy: 'buffer', ready: 1, max: 2 } };
  const files = ['ConfigMap.arena', 'Fleet.arena', 'FleetAutoscaler.arena', 'SealedSecret.netcode-key-arena'].map(
    (file) => `instances/instances/${file}.yaml`,
  );

  test('that is added beside others leaves Agones itself as it is', () => {
    expect(changed((d) => d.instances.push(arena))).toEqual([...files.map((path) => `A ${path}`), ...BROKER_LIST, BROKER_KEYS]);
  });

  test('that is removed while others stay leaves Agones itself as it is', () => {
    expect(
      changed(
        (d) => d.instances.pop(),
        (d) => d.instances.push(arena),
      ),
    ).toEqual([...BROKER_LIST, BROKER_KEYS, ...files.map((path) => `D ${path}`)]);
  });

  test('that is the first one brings Agones and the namespace of instances', () => {
    const added = changed(
      (d) => (d.instances = [arena]),
      (d) => (d.instances = []),
    ).filter((line) => line.startsWith('A ') && !line.startsWith('A instances/'));
    expect(added).toEqual([
      'A agones-certificates/agones-system/Certificate.agones-cert.yaml',
      'A agones-certificates/agones-system/PrometheusRule.agones.yaml',
      'A monitoring-config/monitoring/ConfigMap.dashboard-mmo-instances.yaml',
      'A namespaces/_cluster/Namespace.agones-system.yaml',
      'A namespaces/_cluster/Namespace.instances.yaml',
      'A namespaces/_cluster/PriorityClass.mmo-instance.yaml',
      'A namespaces/agones-system/NetworkPolicy.agones-controller.yaml',
      'A namespaces/agones-system/NetworkPolicy.agones-extensions.yaml',
      'A namespaces/agones-system/NetworkPolicy.allow-dns.yaml',
      'A namespaces/agones-system/NetworkPolicy.default-deny.yaml',
      'A root/argocd/Application.agones-certificates.yaml',
      'A root/argocd/Application.agones.yaml',
      'A root/argocd/Application.instances.yaml',
    ]);
  });

  test('that is the first one moves the realms one wave on, because they are last, and touches no world', () => {
    const lines = changed(
      (d) => (d.instances = [arena]),
      (d) => (d.instances = []),
    ).filter((line) => line.includes('realm'));
    expect(lines).toEqual(['M root/argocd/Application.realm-aurora.yaml', 'M root/argocd/Application.realm-borealis.yaml']);
  });

  test('with more servers at most changes its own autoscaler and nothing else', () => {
    expect(changed((d) => (d.instances[0].autoscaling.max = 21))).toEqual(['M instances/instances/FleetAutoscaler.dungeon.yaml']);
  });

  test('with another title changes what players see and nothing else', () => {
    expect(changed((d) => (d.instances[0].title = 'The Pit'))).toEqual(BROKER_LIST);
  });
});

describe('the order of the description', () => {
  test('of realms changes the order in which players see them and nothing else', () => {
    expect(changed((d) => d.realms.reverse())).toEqual(BROKER_LIST);
  });

  test('of continents changes the order in which players see them and nothing else', () => {
    expect(changed((d) => d.realms[0].continents.reverse())).toEqual(BROKER_LIST);
  });

  test('of content types changes the order in which players see them and nothing else', () => {
    expect(changed((d) => d.instances.reverse())).toEqual(BROKER_LIST);
  });

  test('of nodes changes nothing', () => {
    expect(changed((d) => d.nodes.reverse())).toEqual([]);
  });

  test("of the API server's addresses changes nothing", () => {
    const two: Change = (d) => d.kubernetes.apiServer.addresses.push('192.168.1.12');
    expect(changed((d) => d.kubernetes.apiServer.addresses.reverse(), two)).toEqual([]);
  });

  test('of fields changes nothing', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, each]) => [key, reversed(each)]),
      );
    };
    const before = described();
    const after = reversed(before) as typeof before;
    expect([Object.keys(after)[0], difference(before, after)]).toEqual([Object.keys(before).at(-1), []]);
  });
});

test('a build of the game restarts worlds and instances and changes nothing else but what the broker allocates', () => {
  const kinds = changed((d) => (d.game.build = '1.0.1')).map((line) => line.replace(/^(.) .*\/(\w+)\.[^/]*$/, '$1 $2'));
  expect([...new Set(kinds)].sort()).toEqual(['M ConfigMap', 'M Deployment', 'M Fleet', 'M StatefulSet']);
});

test('a default that is written out changes nothing', () => {
  expect(
    changed((d) => {
      d.realms[0].capacity = 500;
      d.kubernetes.metricsServer = 'install';
      d.git.revision = 'main';
    }),
  ).toEqual([]);
});
