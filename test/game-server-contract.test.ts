import { readFileSync } from 'node:fs';
import { instances } from '../charts/instances';
import { realms } from '../charts/realms';
import { DRAINING_LABEL, PLAYERS_LIST, ROOMS_COUNTER } from '../lib/constructs/content-type';
import { configHash, GAME_FILES, instanceEnvironment, POD_ENVIRONMENT, STATUS_PATHS, worldEnvironment } from '../lib/game-contract';
import { resolveCluster } from '../lib/model/cluster';
import { GAME_PORTS, LABELS } from '../lib/platform';
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

  test('names every metric of the game that an alert reads', () => {
    const rules = [realms, instances].flatMap((component) =>
      built(component, homelab).objects.filter((object) => object.kind === 'PrometheusRule'),
    );
    const metrics = JSON.stringify(rules).match(/mmo_game_[a-z_]+/g) ?? [];
    expect(unnamed([...new Set(metrics.map((name) => name.replace(/_bucket$/, '')))])).toEqual([]);
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
