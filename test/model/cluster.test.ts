/** What the model derives from a description: defaults, host names, issuers, replicas, and what a retired realm becomes. */
import { type Cluster, type ClusterDescription, DescriptionError, defineCluster, resolveCluster } from '../../lib/model/cluster';
import { validDescription } from './fixture';

/** The fixture with a change. */
function derived(change: (description: Mutable) => void = () => {}): Cluster {
  const description = validDescription() as Mutable;
  change(description);
  return resolveCluster(description);
}
// biome-ignore lint/suspicious/noExplicitAny: fields of a union are changed one by one.
type Mutable = any;

const nodes = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `node-${index + 1}`, address: `192.168.1.${11 + index}` }));
const eldermoor = (cluster: Cluster) => cluster.realms[0]?.continents[0];

describe('a title', () => {
  test('is the name with capitals when there is none', () => {
    expect(derived((d) => (d.realms[0].name = 'the-far-north')).realms[0]?.title).toBe('The Far North');
  });

  test('is what the description says', () => {
    expect(derived((d) => (d.realms[0].title = 'the Far North')).realms[0]?.title).toBe('the Far North');
  });

  test('of a continent follows its name too', () => {
    expect(eldermoor(derived())?.title).toBe('Eldermoor');
  });

  test('of a content type follows its name too', () => {
    expect(derived().instances.map(({ title }) => title)).toEqual(['Dungeon', 'Battleground']);
  });
});

describe('a continent', () => {
  test.each([
    ['capacity', 40],
    ['storage', '8Gi'],
    ['resources', { cpu: '2', memory: '4Gi' }],
  ])("has its realm's %s", (field, value) => {
    expect(eldermoor(derived((d) => (d.realms[0][field] = value)))).toMatchObject({ [field]: value });
  });

  test.each([
    ['capacity', 40],
    ['storage', '8Gi'],
    ['resources', { cpu: '2', memory: '4Gi' }],
  ])("has its own %s before its realm's", (field, value) => {
    expect(eldermoor(derived((d) => (d.realms[0].continents[0][field] = value)))).toMatchObject({ [field]: value });
  });

  test('has 500 places, 20 GiB and half a core when nobody says more', () => {
    expect(eldermoor(derived())).toMatchObject({ capacity: 500, storage: '20Gi', resources: { cpu: '500m', memory: '1Gi' } });
  });

  test('with an address of its own listens on port 40000 when it names none', () => {
    expect(eldermoor(derived())).toMatchObject({ port: 40000, lanAddress: '192.168.1.245' });
  });

  test('has the shared address of its realm', () => {
    expect(derived().realms[1]?.continents.map(({ lanAddress }) => lanAddress)).toEqual(['192.168.1.247', '192.168.1.247']);
  });

  test('on a port of a node has the address of the node', () => {
    const cluster = derived((d) => {
      d.realms = [{ name: 'aurora', exposure: { type: 'host-port' }, continents: [{ name: 'eldermoor', node: 'node-2', port: 40000 }] }];
    });
    expect(eldermoor(cluster)?.lanAddress).toBe('192.168.1.12');
  });

  test('has canonical quantities, however they are written', () => {
    expect(eldermoor(derived((d) => (d.realms[0].resources = { cpu: '0.5', memory: '1024Mi' })))?.resources).toEqual({
      cpu: '500m',
      memory: '1Gi',
    });
  });
});

describe('a realm', () => {
  test('has a namespace of its own', () => {
    expect(derived().realms.map(({ namespace }) => namespace)).toEqual(['realm-aurora', 'realm-borealis']);
  });

  test('that is retired retires all its continents', () => {
    expect(derived((d) => (d.realms[0].state = 'retired')).realms[0]?.continents.map(({ state }) => state)).toEqual(['retired', 'retired']);
  });

  test('that is active keeps its retired continents retired', () => {
    expect(derived((d) => (d.realms[0].continents[0].state = 'retired')).realms[0]?.continents.map(({ state }) => state)).toEqual([
      'retired',
      'active',
    ]);
  });
});

test('every host name is the domain or below it', () => {
  expect(derived((d) => (d.domain = 'game.homelab.io')).hosts).toEqual({
    broker: 'game.homelab.io',
    grafana: 'grafana.game.homelab.io',
    argocd: 'argocd.game.homelab.io',
    pihole: 'pihole.game.homelab.io',
  });
});

describe('certificates', () => {
  const issuers = (certificates: ClusterDescription['certificates']) => {
    const { publicIssuer, adminIssuer } = derived((d) => (d.certificates = certificates));
    return { publicIssuer, adminIssuer };
  };
  const email = 'you@homelab.io';
  const dns01 = { cloudflare: { zone: 'homelab.io' } };

  test.each([
    [
      "by Let's Encrypt's DNS-01 for all hosts",
      { issuer: 'letsencrypt', email, dns01 },
      'letsencrypt-production',
      'letsencrypt-production',
    ],
    [
      "of Let's Encrypt's staging for all hosts",
      { issuer: 'letsencrypt', email, dns01, environment: 'staging' },
      'letsencrypt-staging',
      'letsencrypt-staging',
    ],
    ['by HTTP-01 for the public host alone', { issuer: 'letsencrypt', email }, 'letsencrypt-production', 'cluster-ca'],
    ["of the cluster's own authority for all hosts", { issuer: 'self-signed' }, 'cluster-ca', 'cluster-ca'],
  ] as const)('come %s', (_, certificates, publicIssuer, adminIssuer) => {
    expect(issuers(certificates as ClusterDescription['certificates'])).toEqual({ publicIssuer, adminIssuer });
  });
});

describe('replicas', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [5, 3],
  ])('of the database on %s nodes are %s', (count, instances) => {
    const cluster = derived((d) => {
      d.nodes = nodes(count);
      d.network.instanceNode = 'node-1';
    });
    expect(cluster.databaseInstances).toBe(instances);
  });

  test.each([1, 3])('of stateless services are two on %s nodes, because an update needs a second one', (count) => {
    const cluster = derived((d) => {
      d.nodes = nodes(count);
      d.network.instanceNode = 'node-1';
    });
    expect(cluster.statelessReplicas).toBe(2);
  });
});

test('a world has time to announce, to save and 30 seconds for the rest', () => {
  expect(
    derived((d) => {
      d.game.announceSeconds = 100;
      d.game.saveSeconds = 20;
    }).worldGraceSeconds,
  ).toBe(150);
});

test('there is DNS when it has an address', () => {
  expect(derived().hasDns).toBe(true);
});

test('there is no DNS when it has no address', () => {
  expect(derived((d) => delete d.network.dns).hasDns).toBe(false);
});

test('there is a load balancer unless the description says that there is none', () => {
  const without = (d: Mutable) => {
    d.kubernetes.loadBalancer = 'none';
    d.network = {};
    d.realms = [];
  };
  expect([derived().hasLoadBalancer, derived(without).hasLoadBalancer]).toEqual([true, false]);
});

test('nodes are in the order of their names, because the order of the list says nothing', () => {
  expect(derived((d) => d.nodes.reverse()).nodes.map(({ name }) => name)).toEqual(['node-1', 'node-2']);
});

test('the description is not changed', () => {
  const description = validDescription();
  resolveCluster(description);
  expect(description).toEqual(validDescription());
});

test('defining a cluster judges nothing, so that the mistakes of all clusters are shown together', () => {
  const broken = { ...validDescription(), domain: 'not a domain' };
  expect(defineCluster(broken)).toBe(broken);
});

describe('mistakes', () => {
  const mistakesOf = (description: unknown) => {
    try {
      resolveCluster(description as ClusterDescription);
      return undefined;
    } catch (error) {
      return error as DescriptionError;
    }
  };

  test.each<[string, (description: Mutable) => void, string]>([
    ['of a world', (d) => (d.realms[0].capacity = 'many'), 'realms[aurora].capacity'],
    ['of a continent', (d) => (d.realms[1].continents[0].port = '40002'), 'realms[borealis].continents[frosthold].port'],
    ['of an exposure', (d) => (d.realms[1].exposure.type = 'magic'), 'realms[borealis].exposure.type'],
    ['of a name', (d) => (d.realms[1].name = 'Borealis!'), 'realms[Borealis!].name'],
    ['of a content type', (d) => (d.instances[0].capacity = 0), 'instances[dungeon].capacity'],
    ['of a quantity', (d) => (d.monitoring = { logsStorage: 'much' }), 'monitoring.logsStorage'],
    ['of a whole list', (d) => (d.instances = 'none'), 'instances'],
  ])('%s do not hide an address that is used twice', (_, change, path) => {
    const description = validDescription() as Mutable;
    description.realms[0].continents[1].address = '192.168.1.245';
    change(description);
    expect(mistakesOf(description)?.mistakes.map((mistake) => mistake.path)).toEqual([path, 'realms[aurora].continents[sunreach].address']);
  });

  test.each<[string, (description: Mutable) => void, string]>([
    ['an address', (d) => (d.realms[0].continents[0].address = 'here'), 'realms[aurora].continents[eldermoor].address'],
    ['a port', (d) => (d.realms[1].continents[0].port = 70000), 'realms[borealis].continents[frosthold].port'],
    ['an address of a realm', (d) => (d.realms[1].exposure.address = 'there'), 'realms[borealis].exposure.address'],
    ['the last continent', (d) => (d.realms[1].continents = []), 'realms[borealis].continents'],
    ['the pool', (d) => (d.network.pool = 'all'), 'network.pool'],
    ['a node', (d) => (d.nodes[1].address = 'attic'), 'nodes[node-2].address'],
  ])('of %s are said once, without what only follows from them', (_, change, path) => {
    const description = validDescription() as Mutable;
    change(description);
    expect(mistakesOf(description)?.mistakes.map((mistake) => mistake.path)).toEqual([path]);
  });

  test('of a misspelt field hide no other', () => {
    const description = validDescription() as Mutable;
    description.reamls = [];
    description.realms[0].continents[1].address = '192.168.1.245';
    expect(mistakesOf(description)?.mistakes).toHaveLength(2);
  });

  test('name the cluster and how many they are', () => {
    expect(mistakesOf({ ...validDescription(), domain: 'not a domain' })?.message).toMatch(
      /^The description of cluster 'test' has 1 mistake:\n {2}- domain: /,
    );
  });

  test.each([[undefined], [null], ['homelab'], [[]], [{}]])('are reported for %j, which is no description', (input) => {
    expect(mistakesOf(input)).toBeInstanceOf(DescriptionError);
  });
});
