/** What the router forwards: players dial exactly what is in the list, and `npm run ports` prints it. The list itself is test/model/port-forwards.test.ts's. */
import { clusters } from '../apps';
import { main } from '../commands/ports';
import { brokerConfig } from '../lib/constructs/broker-config';
import { forwarding, forwardingText } from '../lib/forwarding';
import { resolveCluster } from '../lib/model/cluster';
import { homelab } from './charts/game-harness';

const ofHomelab = forwarding(resolveCluster(homelab));

test('the list has every address and port of a world that players on the Internet are told', () => {
  const told = brokerConfig(resolveCluster(homelab)).realms.flatMap(({ continents }) =>
    continents.map((continent) => `${continent.public?.port} to ${continent.lan.address}:${continent.lan.port}`),
  );
  const worlds = ofHomelab.forward.filter(({ purpose }) => purpose.startsWith('world'));
  expect(worlds.map(({ first, to }) => `${first} to ${to}:${first}`)).toEqual(told);
});

test('never forwarded are admin pages, the resolver and the API server', () => {
  expect(ofHomelab.never.map(({ address }) => address)).toEqual(['192.168.1.242', '192.168.1.241', '192.168.1.11:6443']);
});

describe('npm run ports', () => {
  let output = '';
  beforeEach(() => {
    output = '';
    for (const stream of ['log', 'error'] as const) {
      jest.spyOn(console, stream).mockImplementation((text?: unknown) => {
        output += `${text}\n`;
      });
    }
  });
  afterEach(() => jest.restoreAllMocks());

  // Whatever apps/ describes.
  const names = clusters.map(({ name }) => name);

  test('prints JSON for programs', async () => {
    await main(['--json']);
    expect(Object.keys(JSON.parse(output))).toEqual(names);
  });

  test('names the clusters that there are', async () => {
    expect([await main(['nowhere']), output]).toEqual([
      2,
      `There is no cluster 'nowhere'; apps/ has ${names.map((name) => `'${name}'`).join(', ')}.\n`,
    ]);
  });

  test('prints a rule a line', () => {
    const rule = { protocol: 'UDP', first: 7000, last: 7063, to: '192.168.1.13', purpose: 'instances' } as const;
    expect(forwardingText('home', { forward: [rule], never: [{ address: '192.168.1.242', because: 'admin pages' }] })).toBe(
      'home: forward, to the same ports\n  UDP 7000-7063  to 192.168.1.13  instances\nhome: never forward\n  192.168.1.242  admin pages',
    );
  });

  test('exits with 0 for --help', async () => {
    expect(await main(['--help'])).toBe(0);
  });
});
