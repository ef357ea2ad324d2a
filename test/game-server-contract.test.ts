/**
 * docs/game-server.md names everything that a game server gets and must serve, and nothing else: the page and the manifests are held together.
 * It deliberately runs no server; that the example keeps the page is examples/game-server/checks.
 */
import { readFileSync } from 'node:fs';
import { instances } from '../charts/instances';
import { realms } from '../charts/realms';
import { DRAINING_LABEL, PLAYERS_LIST, ROOMS_COUNTER } from '../lib/constructs/content-type';
import { configHash, GAME_FILES, instanceEnvironment, POD_ENVIRONMENT, STATUS_PATHS, worldEnvironment } from '../lib/game-contract';
import { resolveCluster } from '../lib/model/cluster';
import { GAME_PORTS, LABELS } from '../lib/platform';
import { charts } from '../versions';
import { built, homelab } from './charts/game-harness';

const page = readFileSync('docs/game-server.md', 'utf8');
const cluster = resolveCluster(homelab);
const [realm] = cluster.realms;
const [continent] = realm?.continents ?? [];
const [type] = cluster.instances;
if (!realm || !continent || !type) throw new Error('the description of the tests has worlds and instances');

/** Those that the page does not name. */
function unnamed(names: readonly string[]): string[] {
  return names.filter((name) => !page.includes(name));
}

describe('docs/game-server.md', () => {
  test('names every variable that a world gets', () => {
    expect(unnamed(Object.keys({ ...worldEnvironment(cluster, realm, continent), ...POD_ENVIRONMENT }))).toEqual([]);
  });

  test('names every variable that an instance gets', () => {
    expect(unnamed(Object.keys({ ...instanceEnvironment(type), ...POD_ENVIRONMENT }))).toEqual([]);
  });

  test('names no variable that nobody gets', () => {
    const emitted = { ...worldEnvironment(cluster, realm, continent), ...instanceEnvironment(type), ...POD_ENVIRONMENT };
    expect([...new Set(page.match(/MMO_[A-Z_]+/g))].filter((name) => !(name in emitted))).toEqual([]);
  });

  test('names every path, port and folder', () => {
    expect(
      unnamed([...Object.values(STATUS_PATHS), ...Object.values(GAME_PORTS).map(String), GAME_FILES.world, GAME_FILES.temporary]),
    ).toEqual([]);
  });

  test('names the labels that broker and game server both read', () => {
    expect(unnamed([LABELS.build, LABELS.protocolId, LABELS.netcodeKeyGeneration, DRAINING_LABEL])).toEqual([]);
  });

  test('names what Agones counts', () => {
    expect(unnamed([`List \`${PLAYERS_LIST}\``, `Counter \`${ROOMS_COUNTER}\``])).toEqual([]);
  });

  test('names every order that the broker gives', () => {
    const routes = readFileSync('services/connect-broker/src/play/game-server-routes.ts', 'utf8');
    const orders = [...(/kind: z\.enum\(\[(.*?)\]\)/.exec(routes)?.[1]?.matchAll(/'([a-z]+)'/g) ?? [])].map(
      ([, order]) => `| \`${order}\` |`,
    );
    expect(orders.length).toBeGreaterThan(0);
    expect(unnamed(orders)).toEqual([]);
  });

  test('names every metric of the game that an alert reads', () => {
    const rules = [realms, instances].flatMap((component) =>
      built(component, homelab).objects.filter((object) => object.kind === 'PrometheusRule'),
    );
    const metrics = JSON.stringify(rules).match(/mmo_game_[a-z_]+/g) ?? [];
    expect(unnamed([...new Set(metrics.map((name) => name.replace(/_bucket$/, '')))])).toEqual([]);
  });
});

const example = (file: string): string => readFileSync(`examples/game-server/${file}`, 'utf8');

describe('the example of a game server', () => {
  test('reads every variable of ours that a world or an instance gets', () => {
    const emitted = { ...worldEnvironment(cluster, realm, continent), ...instanceEnvironment(type), ...POD_ENVIRONMENT };
    const ours = Object.keys(emitted).filter((name) => name.startsWith('MMO_') || name === 'POD_IP');
    expect(ours.filter((name) => !example('src/config.rs').includes(`"${name}"`))).toEqual([]);
  });

  test('reads no variable of ours that nobody gets', () => {
    const emitted = { ...worldEnvironment(cluster, realm, continent), ...instanceEnvironment(type), ...POD_ENVIRONMENT };
    expect([...new Set(example('src/config.rs').match(/MMO_[A-Z_]+/g))].filter((name) => !(name in emitted))).toEqual([]);
  });

  test('serves every path of the status port', () => {
    expect(Object.values(STATUS_PATHS).filter((path) => !example('src/status.rs').includes(`"${path}"`))).toEqual([]);
  });

  test('has the metrics that the page names', () => {
    const registered = [...example('src/metrics.rs').matchAll(/register\("([a-z_]+)"/g)].map(([, name]) => `mmo_game_${name}`);
    const named = [...new Set([...page.matchAll(/^\| `(mmo_game_[a-z_]+)`/gm)].map(([, name]) => name?.replace(/_total$/, '')))];
    expect(registered.sort()).toEqual(named.sort());
  });

  test('has the exit codes that the page names', () => {
    const codes = [...page.slice(page.indexOf('| code |')).matchAll(/^\| ([0-9]+) \|/gm)].map(([, code]) => code);
    const returned = [...example('src/main.rs').matchAll(/\(\s*([0-9]),\s*(?:None|Some)/g)].map(([, code]) => code);
    expect([...new Set(returned)].sort()).toEqual(codes);
  });

  test('knows the labels and counters of Agones by their names', () => {
    const names = [LABELS.instance, LABELS.difficulty, DRAINING_LABEL, PLAYERS_LIST, ROOMS_COUNTER, 'session-ready'];
    expect(names.filter((name) => !example('src/agones.rs').includes(`"${name}"`))).toEqual([]);
  });

  test("builds Agones' crate of the release that the cluster runs", () => {
    expect(/^agones = "=([0-9.]+)"$/m.exec(example('Cargo.toml'))?.[1]).toBe(charts.agones.version);
  });

  test('reads user data as the program does that is checked against real tokens', () => {
    expect(example('src/user_data.rs')).toBe(readFileSync('packages/netcode-token/interop/src/user_data.rs', 'utf8'));
  });

  test('pins the netcode crates that tokens are checked with', () => {
    const pins = (text: string): string[] => text.match(/^(?:renet|renet_netcode|renetcode) = .*$/gm) ?? [];
    const checked = pins(readFileSync('packages/netcode-token/interop/Cargo.toml', 'utf8'));
    expect(checked).toHaveLength(3);
    expect(pins(example('Cargo.toml'))).toEqual(checked);
  });

  test('runs in its image as the user of the description', () => {
    expect(example('Dockerfile')).toContain(`USER ${cluster.game.user}:${cluster.game.user}\n`);
  });
});

describe('the hash of a configuration', () => {
  test('does not depend on the order of its keys', () => {
    expect(configHash({ a: '1', b: '2' })).toBe(configHash({ b: '2', a: '1' }));
  });

  test('changes with a value', () => {
    expect(configHash({ a: '1' })).not.toBe(configHash({ a: '2' }));
  });

  test('does not confuse where a key ends and its value begins', () => {
    expect(configHash({ a: 'b', c: 'd' })).not.toBe(configHash({ a: 'b,c', d: '' }));
  });
});
