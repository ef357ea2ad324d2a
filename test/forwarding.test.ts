/** What the router forwards: the list follows from the description, and players dial exactly what is in it. */
import { clusters } from '../apps';
import { main } from '../commands/ports';
import { brokerConfig } from '../lib/constructs/broker-config';
import { type Forward, forwarding, forwardingText } from '../lib/forwarding';
import { resolveCluster } from '../lib/model/cluster';
import { homelab, homelabWith, local } from './charts/game-harness';

const ofHomelab = forwarding(resolveCluster(homelab));
const line = ({ protocol, firstPort, lastPort, to }: Forward) => `${protocol} ${firstPort}-${lastPort} ${to}`;

describe('what is forwarded', () => {
  test('is the page, each world and the range of instances', () => {
    expect(ofHomelab.forward.map(line)).toEqual([
      'TCP 443-443 192.168.1.240',
      'TCP 80-80 192.168.1.240',
      'UDP 40000-40000 192.168.1.245',
      'UDP 40001-40001 192.168.1.246',
      'UDP 40002-40002 192.168.1.247',
      'UDP 40003-40003 192.168.1.247',
      'UDP 7000-7063 192.168.1.11',
    ]);
  });

  test('has every address and port of a world that players on the Internet are told', () => {
    const told = brokerConfig(resolveCluster(homelab)).realms.flatMap(({ continents }) =>
      continents.map(
        (continent) => `${continent.public?.address}:${continent.public?.port} ${continent.lan.address}:${continent.lan.port}`,
      ),
    );
    const worlds = ofHomelab.forward.filter(({ because }) => because.startsWith('world'));
    expect(worlds.map(({ publicAddress, firstPort, to }) => `${publicAddress}:${firstPort} ${to}:${firstPort}`)).toEqual(told);
  });

  test('is nothing without a public address', () => {
    const { publicAddress: _, ...network } = homelab.network;
    expect(forwarding(resolveCluster(homelabWith({ network }))).forward).toEqual([]);
  });

  test('leaves a retired world out', () => {
    const [aurora] = homelab.realms ?? [];
    const realms = [{ ...(aurora as NonNullable<typeof aurora>), state: 'retired' as const }];
    expect(forwarding(resolveCluster(homelabWith({ realms }))).forward.filter(({ because }) => because.startsWith('world'))).toEqual([]);
  });

  test('goes to every node that has a public address of its own, where instances may run on all', () => {
    const { instanceNode: _, ...network } = homelab.network;
    const nodes = homelab.nodes.map((node, index) => ({ ...node, publicAddress: `203.0.113.${10 + index}` }));
    const { forward } = forwarding(resolveCluster(homelabWith({ network, nodes })));
    expect(forward.filter(({ because }) => because.startsWith('instances')).map(({ to, publicAddress }) => [to, publicAddress])).toEqual([
      ['192.168.1.11', '203.0.113.10'],
      ['192.168.1.12', '203.0.113.11'],
      ['192.168.1.13', '203.0.113.12'],
    ]);
  });

  test('goes to the node without a load balancer', () => {
    expect(forwarding(resolveCluster(local)).forward.map(line)).toEqual([
      'TCP 443-443 172.18.0.2',
      'TCP 80-80 172.18.0.2',
      'UDP 40000-40000 172.18.0.2',
      'UDP 7000-7009 172.18.0.2',
    ]);
  });

  test('never is an admin page, the resolver or the API server', () => {
    expect(ofHomelab.never.map(({ address }) => address)).toEqual(['192.168.1.242', '192.168.1.241', '192.168.1.11:6443']);
  });
});

describe('npm run ports', () => {
  let output = '';
  beforeEach(() => {
    output = '';
    for (const stream of ['log', 'error'] as const)
      jest.spyOn(console, stream).mockImplementation((...texts: unknown[]) => {
        output += `${texts.join(' ')}\n`;
      });
  });
  afterEach(() => jest.restoreAllMocks());

  // Whatever apps/ describes.
  const names = clusters.map(({ name }) => name);

  test('prints JSON for programs', async () => {
    await main(['--json']);
    expect(Object.keys(JSON.parse(output))).toEqual(names);
  });

  test('takes the cluster by its name, or as other commands do', async () => {
    await main(['local', '--json']);
    const byName = output;
    output = '';
    await main(['--cluster', 'local', '--json']);
    expect([Object.keys(JSON.parse(byName)), output]).toEqual([['local'], byName]);
  });

  test('names the clusters that there are', async () => {
    expect([await main(['nowhere']), output]).toEqual([
      2,
      `There is no cluster 'nowhere'; apps/ has ${names.map((name) => `'${name}'`).join(', ')}.\n`,
    ]);
  });

  test('prints a rule a line', () => {
    const rule = {
      protocol: 'UDP',
      firstPort: 7000,
      lastPort: 7063,
      to: '192.168.1.13',
      publicAddress: '203.0.113.7',
      because: 'instances',
    } as const;
    expect(forwardingText('home', { forward: [rule], never: [{ address: '192.168.1.242', because: 'admin pages' }] })).toBe(
      'home: forward, to the same ports\n  UDP 7000-7063  to 192.168.1.13  instances\nhome: never forward\n  192.168.1.242  admin pages',
    );
  });

  test('exits with 0 for --help', async () => {
    expect(await main(['--help'])).toBe(0);
  });
});
