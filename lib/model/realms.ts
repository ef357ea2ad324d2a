/**
 * The rules of persistent worlds that no single field shows: which exposure needs which fields, and what two worlds cannot share.
 * It deliberately leaves addresses of the pool (inside of it, used once) to network.ts, and judges a retired world only by its name: it takes no address and no port.
 */
import { fromNumber, parseRange } from './addresses';
import type { Mistake } from './cluster';
import { hostNameLabelMistakes, isTimeZone, memoryMistakes } from './content-types';
import { continentResources, DEFAULT_GAME_PORT } from './defaults';
import type { ContinentDescription, ParsedDescription, RealmDescription } from './description';
import { usedByNodes } from './node-ports';

/** Most clients of one renet server (renetcode's NETCODE_MAX_CLIENTS). */
const MOST_CLIENTS = 1024;

/** Names of objects that a realm's namespace has anyway; a continent's StatefulSet, Services, ServiceAccount and ConfigMap would meet them. */
const RESERVED: ReadonlyMap<string, string> = new Map([
  ['default', "the namespace's own ServiceAccount"],
  ['world-backup', 'the ServiceAccount of the backups'],
  ['pod-executor', "K8up's ServiceAccount"],
]);

/** Every mistake, in the order of the description. */
export function realmMistakes(data: ParsedDescription): Mistake[] {
  const mistakes: Mistake[] = [];
  const realms = new Set<string>();
  const taken = new Map<string, string>();
  const fromOutside = new Map<string, string>();
  for (const realm of data.realms) {
    const at = `realms[${realm.name}]`;
    if (realms.has(realm.name))
      mistakes.push({
        path: `${at}.name`,
        message: `two realms are called '${realm.name}'; the name is part of the namespace, so give one of them another.`,
      });
    realms.add(realm.name);
    mistakes.push(...memoryMistakes(realm.resources, `${at}.resources`));
    if (realm.continents.some(({ capacity }) => capacity === undefined)) mistakes.push(...capacityMistakes(realm.capacity, at));
    if (realm.state === 'active' && realm.exposure.type !== 'host-port' && data.kubernetes.loadBalancer === 'none') {
      mistakes.push({
        path: `${at}.exposure.type`,
        message: `'${realm.exposure.type}' needs MetalLB, which this cluster does not have (kubernetes.loadBalancer is 'none'); use { type: 'host-port' } with a node and a port for each continent.`,
      });
    }
    mistakes.push(
      ...nameMistakes(realm, at),
      ...updateMistakes(realm, at),
      ...windowMistakes(realm, at),
      ...placementMistakes(data, realm, at),
    );
    for (const continent of realm.continents) {
      const path = `${at}.continents[${continent.name}]`;
      // What a continent inherits whole is the realm's mistake, and said there once.
      if (continent.resources?.memory !== undefined || continent.resources?.memoryLimit !== undefined)
        mistakes.push(...memoryMistakes(continentResources(realm.resources, continent.resources), `${path}.resources`));
      if (continent.capacity !== undefined) mistakes.push(...capacityMistakes(continent.capacity, path));
      if (realm.state === 'retired' || continent.state === 'retired') continue;
      mistakes.push(...exposureMistakes(data, realm, continent, path));
      const name = `${realm.name}/${continent.name}`;
      const endpoint = endpointOf(realm, continent);
      const other = endpoint && taken.get(endpoint);
      if (endpoint && other === undefined) taken.set(endpoint, name);
      if (endpoint && other) {
        mistakes.push({
          path: `${path}.port`,
          message: `${endpoint} is already the world '${other}'; use another port, such as ${freePort(taken, endpoint)}.`,
        });
        continue;
      }
      const outside = publicEndpointOf(data, realm, continent);
      const twin = outside && fromOutside.get(outside);
      if (outside && twin === undefined) fromOutside.set(outside, name);
      // A world that meets itself has a name twice, which is said already.
      if (outside && twin && twin !== name) {
        mistakes.push({
          path: `${path}.port`,
          message: `players on the Internet would reach this world and '${twin}' both at ${outside}, but a router forwards a port to one machine only; give it a port of its own, such as ${freePort(fromOutside, outside)}, or leave out network.publicAddress.`,
        });
      }
    }
  }
  return mistakes;
}

function capacityMistakes(capacity: number, path: string): Mistake[] {
  if (capacity <= MOST_CLIENTS) return [];
  return [
    {
      path: `${path}.capacity`,
      message: `${capacity} players are more than one netcode server takes (${MOST_CLIENTS}); use at most ${MOST_CLIENTS} and split the world into continents.`,
    },
  ];
}

function nameMistakes(realm: RealmDescription, at: string): Mistake[] {
  const mistakes: Mistake[] = [];
  const names = new Set<string>();
  for (const continent of realm.continents) {
    if (names.has(continent.name)) {
      mistakes.push({
        path: `${at}.continents[${continent.name}].name`,
        message: `two continents of '${realm.name}' are called '${continent.name}'; the name is that of the volume, so give one of them another.`,
      });
    }
    names.add(continent.name);
    const owner = RESERVED.get(continent.name);
    if (owner) {
      mistakes.push({
        path: `${at}.continents[${continent.name}].name`,
        message: `'${continent.name}' is the name of ${owner} in every realm; give this continent another name.`,
      });
    }
  }
  for (const name of names) {
    if (names.has(`${name}-public`)) {
      mistakes.push({
        path: `${at}.continents[${name}-public].name`,
        message: `'${name}-public' is the name of the Service that players reach '${name}' by; give this continent another name.`,
      });
    }
  }
  return mistakes;
}

/** What the order of continents must say for the strategy, and what says nothing. Retired worlds take part in no update. */
function updateMistakes(realm: RealmDescription, at: string): Mistake[] {
  if (realm.state === 'retired') return [];
  const mistakes: Mistake[] = [];
  const { strategy } = realm.updates;
  const ordered = strategy === 'one-continent-at-a-time' || strategy === 'canary-first';
  const active = realm.continents.filter(({ state }) => state === 'active');
  const orders = active.flatMap(({ order }) => order ?? []);
  const free = (from: number): number => (orders.includes(from) ? free(from + 1) : from);
  const first = Math.min(...orders);
  const taken = new Map<number, string>();
  for (const { name, order } of active) {
    const path = `${at}.continents[${name}].order`;
    if (!ordered) {
      if (order !== undefined) {
        mistakes.push({
          path,
          message: `${order} is only used with the update strategies 'one-continent-at-a-time' and 'canary-first'; remove it, or change realms[${realm.name}].updates.strategy ('${strategy}').`,
        });
      }
      continue;
    }
    if (order === undefined) {
      mistakes.push({
        path,
        message: `is missing: with the update strategy '${strategy}' every continent says when its turn is, and the place in the list says nothing; write a number such as ${free(1)}.`,
      });
      continue;
    }
    const other = taken.get(order);
    if (other !== undefined && (strategy === 'one-continent-at-a-time' || order === first)) {
      mistakes.push({
        path,
        message: `${order} is the order of '${other}' already, so both would be updated at once; use another number, such as ${free(order + 1)}.`,
      });
    } else taken.set(order, name);
  }
  if (strategy === 'canary-first') {
    if (active.length < 2) {
      mistakes.push({
        path: `${at}.updates.strategy`,
        message: `a canary needs others that wait for it, and '${realm.name}' has ${active.length === 1 ? 'one active continent' : 'no active continent'}; use 'announce-and-drain'.`,
      });
    }
    if (realm.sleep !== undefined) {
      mistakes.push({
        path: `${at}.updates.strategy`,
        message: `a canary that sleeps proves nothing, and the others would follow at once; use 'one-continent-at-a-time', or leave out realms[${realm.name}].sleep.`,
      });
    }
  }
  return mistakes;
}

function windowMistakes(realm: RealmDescription, at: string): Mistake[] {
  return realm.maintenanceWindows.flatMap(({ timeZone }, index) =>
    isTimeZone(timeZone)
      ? []
      : [
          {
            path: `${at}.maintenanceWindows[${index}].timeZone`,
            message: `'${timeZone}' is no time zone that is known; use a name such as 'Europe/Berlin' or 'UTC'.`,
          },
        ],
  );
}

/** Nodes that do not exist, and a node that is named in two ways. */
function placementMistakes(data: ParsedDescription, realm: RealmDescription, at: string): Mistake[] {
  const nodes = data.nodes.map(({ name }) => name);
  const mistakes = [...hostNameLabelMistakes(realm.placement, `${at}.placement`)];
  for (const { name, node, placement, state } of realm.continents) {
    const path = `${at}.continents[${name}]`;
    // A retired world may have outlived its node.
    if (node !== undefined && state === 'active' && realm.state === 'active' && !nodes.includes(node)) {
      mistakes.push({
        path: `${path}.node`,
        message: `the cluster has no node '${node}'; it has ${nodes.map((each) => `'${each}'`).join(', ')}.`,
      });
    }
    if (placement) mistakes.push(...hostNameLabelMistakes(placement, `${path}.placement`));
  }
  return mistakes;
}

function exposureMistakes(data: ParsedDescription, realm: RealmDescription, continent: ContinentDescription, path: string): Mistake[] {
  const mistakes: Mistake[] = [];
  const refuse = (field: 'address' | 'port' | 'node', message: string): void => {
    mistakes.push({ path: `${path}.${field}`, message });
  };
  switch (realm.exposure.type) {
    case 'own-address':
      if (continent.address === undefined) {
        refuse('address', `with exposure 'own-address' every continent has an address of the pool that is its own; ${freeInPool(data)}.`);
      }
      break;
    case 'shared-address':
      if (continent.port === undefined) {
        refuse(
          'port',
          `with exposure 'shared-address' every continent has a port that is its own on ${realm.exposure.address}; write it down, such as 40000.`,
        );
      }
      if (continent.address !== undefined) {
        refuse(
          'address',
          `the continents of '${realm.name}' share ${realm.exposure.address}; remove this address, or use exposure { type: 'own-address' } (MetalLB does not share an address between worlds that see their players' addresses).`,
        );
      }
      break;
    case 'host-port': {
      if (continent.node === undefined) {
        const nodes = data.nodes.map((node) => `'${node.name}'`).join(', ');
        refuse('node', `with exposure 'host-port' a world stays on one node; name it: ${nodes}.`);
      }
      if (continent.port === undefined)
        refuse('port', `with exposure 'host-port' every continent has a port of its node; write it down, such as 40000.`);
      else {
        const [used] = usedByNodes(continent.port);
        if (used) refuse('port', `${continent.port} is used by nodes themselves (${used.user}); use a port such as 40000.`);
      }
      if (continent.address !== undefined)
        refuse('address', `with exposure 'host-port' players use the node's own address; remove this one.`);
      break;
    }
  }
  return mistakes;
}

/** Address and port that no other world may have. Own addresses are network.ts's: an address twice is wrong there whatever the port. */
function endpointOf(realm: RealmDescription, continent: ContinentDescription): string | undefined {
  if (continent.port === undefined) return undefined;
  if (realm.exposure.type === 'shared-address') return `${realm.exposure.address}:${continent.port}`;
  if (realm.exposure.type === 'host-port' && continent.node !== undefined) return `${continent.node}:${continent.port}`;
  return undefined;
}

/** Where players on the Internet connect; undefined when they cannot, and where the LAN's endpoint says the same already. */
function publicEndpointOf(data: ParsedDescription, realm: RealmDescription, continent: ContinentDescription): string | undefined {
  if (realm.exposure.type === 'shared-address' && continent.port === undefined) return undefined;
  const node = realm.exposure.type === 'host-port' ? data.nodes.find(({ name }) => name === continent.node) : undefined;
  if (realm.exposure.type === 'host-port' && !node) return undefined;
  const address = node?.publicAddress ?? data.network.publicAddress;
  return address === undefined ? undefined : `${address}:${continent.port ?? DEFAULT_GAME_PORT}`;
}

function freePort(taken: ReadonlyMap<string, string>, endpoint: string): number {
  const [host = '', port = '0'] = endpoint.split(':');
  let free = Number(port) + 1;
  while (taken.has(`${host}:${free}`)) free += 1;
  return free;
}

/** The end of a sentence about an address that is missing. */
function freeInPool(data: ParsedDescription): string {
  const { pool, ingress, adminIngress, dns } = data.network;
  const range = parseRange(pool ?? '');
  if (typeof range === 'string') return "write it down, such as '192.168.1.245'";
  const taken = new Set([
    ...[ingress, adminIngress, dns],
    ...data.realms.flatMap(({ exposure, continents }) => [
      ...(exposure.type === 'shared-address' ? [exposure.address] : []),
      ...continents.map(({ address }) => address),
    ]),
  ]);
  for (let value = range.first; value <= range.last; value++)
    if (!taken.has(fromNumber(value))) return `write it down, such as '${fromNumber(value)}'`;
  return `the pool '${pool}' has no free address left, so make it larger, or use exposure { type: 'shared-address' }`;
}
