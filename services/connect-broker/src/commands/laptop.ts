/**
 * `npm run broker`: the whole broker on a laptop, in one process, with an embedded PostgreSQL and a fixed list of realms.
 * It deliberately listens on loopback only and lets anybody make an account: it is for developing a game, not for players.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { passwordHasher } from '../accounts/passwords.ts';
import { openSessionKeys } from '../accounts/session-keys.ts';
import type { Broker } from '../broker.ts';
import { openEmbedded } from '../database/embedded.ts';
import { migrate } from '../database/migrate.ts';
import type { GameServerCaller } from '../discovery/game-server-auth.ts';
import { staticTokens } from '../discovery/static-tokens.ts';
import { staticView } from '../discovery/static-view.ts';
import { openNetcodeKeys } from '../keys/netcode-keys.ts';
import { LAPTOP_CONTENT, type LaptopDungeonOptions, laptopDungeon } from '../laptop/agones/dungeon.ts';
import { openHome } from '../laptop/home.ts';
import { type LaptopRealms, laptopRealms, laptopWorlds } from '../laptop/realms.ts';
import { makeLog } from '../log.ts';
import { makeMetrics } from '../metrics.ts';
import { type Ports, startServer } from '../server.ts';
import { parseSettings, type Settings } from '../settings.ts';
import { untilSignalled } from '../shutdown.ts';

const HELP = `
npm run broker [-- --port 8080] [--home DIR] [--realms FILE] [--sdk-port 9357] [--instance-port 40100] [--log info]

Starts the connect broker on this machine: an embedded database, two realms, everybody may register.
  --port    players' port; game servers use the next one, metrics the one after [8080]
  --home    folder of the database and the keys [.broker]
  --realms  JSON with other realms (docs/how-to/broker-on-a-laptop.md)
  --sdk-port  port of the SDK server that a server of instanced content asks for, as beside it in a cluster; 0: no instances [9357]
  --instance-port  UDP port of that server [40100]
  --log     debug, info, warn or error [warn]
`;

/** Protocol id and build of a game under development; a game changes them with its own settings. */
const PROTOCOL_ID = '0x4d4d4f0000000001';
const BUILD = '0.1.0';

export async function laptop(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean' },
      port: { type: 'string', default: '8080' },
      home: { type: 'string', default: '.broker' },
      realms: { type: 'string' },
      'sdk-port': { type: 'string', default: '9357' },
      'instance-port': { type: 'string', default: '40100' },
      log: { type: 'string', default: 'warn' },
    },
  });
  if (values.help) {
    console.log(HELP.trim());
    return 0;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_533) {
    console.error(`--port is '${values.port}'; it must be a number from 1 to 65533.`);
    return 2;
  }
  const [sdk, game] = [Number(values['sdk-port']), Number(values['instance-port'])];
  for (const [name, number] of [
    ['sdk-port', sdk],
    ['instance-port', game],
  ] as const) {
    if (Number.isInteger(number) && number >= 0 && number <= 65_535) continue;
    console.error(`--${name} is '${values[name]}'; it must be a number from 0 to 65535.`);
    return 2;
  }
  const realms = laptopRealms(values.realms);
  const running = await startLaptop({
    home: path.resolve(values.home),
    ports: { http: port, internal: port + 1, metrics: port + 2 },
    ...(sdk === 0 ? {} : { instances: { sdkPort: sdk, gamePort: game } }),
    realms,
    logLevel: values.log,
  });
  const { http, internal, metrics } = running.ports;
  console.log(`The connect broker runs.
  players        http://localhost:${http}/
  API document   http://localhost:${http}/v1/openapi.json
  game servers   http://localhost:${internal}/ (their tokens: ${path.join(path.relative('.', values.home) || '.', 'game-server-tokens')})
  metrics        http://localhost:${metrics}/metrics
  instances      ${running.instances}
Ctrl+C ends it. Accounts and keys stay in ${values.home}.`);
  await untilSignalled();
  await running.close();
  return 0;
}

/** Without Agones nobody asks for the size of a Fleet, so there is no port for it. */
type LaptopPorts = Omit<Ports, 'autoscaler'>;

export interface LaptopOptions {
  readonly home: string;
  readonly ports: LaptopPorts;
  readonly realms: LaptopRealms;
  /** Ports of the one server of instanced content. @default no instances */
  readonly instances?: Pick<LaptopDungeonOptions, 'sdkPort' | 'gamePort'>;
  readonly logLevel: string;
}

export interface RunningLaptop {
  readonly broker: Broker;
  readonly ports: LaptopPorts;
  /** Where their server is to be started, or why there are none: for people. */
  readonly instances: string;
  close(): Promise<void>;
}

/** The laptop's broker without its command line. */
export async function startLaptop({ home: directory, ports, realms, instances: places, logLevel }: LaptopOptions): Promise<RunningLaptop> {
  const worlds = laptopWorlds(realms, BigInt(PROTOCOL_ID), BUILD);
  const tokenFile = (serverId: string) => serverId.replace(':', '-').replace('/', '-');
  const dungeonToken = `instance-${LAPTOP_CONTENT.name}`;
  const home = openHome(
    directory,
    [...realms.map(({ name }) => `realm.${name}.1`), `instance.${LAPTOP_CONTENT.name}.1`],
    [...worlds.map(({ serverId }) => tokenFile(serverId)), dungeonToken],
  );
  const closing: (() => Promise<void> | void)[] = [home.release];
  const close = async () => {
    for (const end of closing.reverse()) await end();
  };
  try {
    const log = makeLog(logLevel);
    const database = await openEmbedded(home.database);
    closing.push(() => database.close());
    await migrate(database);
    const onKeyError = (error: unknown) => log.error({ err: error }, 'keys could not be read again; the last good ones stay');
    const sessionKeys = openSessionKeys(home.sessionKeys, onKeyError);
    const netcodeKeys = openNetcodeKeys(home.netcodeKeys, onKeyError);
    closing.push(sessionKeys.close, netcodeKeys.close);
    const callers = new Map(
      worlds.map(({ serverId, identity }): [string, GameServerCaller] => {
        if (!identity) throw new Error(`The world ${serverId} of the list has no address.`);
        const token = readFileSync(path.join(home.gameServerTokens, tokenFile(serverId)), 'utf8').trim();
        return [token, { namespace: identity.namespace, podName: identity.podName, podUid: identity.podUid, serverId }];
      }),
    );
    const view = staticView(worlds);
    // Another broker of this machine may have the port: then this one has worlds alone.
    const dungeon =
      places &&
      (await laptopDungeon({ view, ...places, protocolId: BigInt(PROTOCOL_ID), build: BUILD }).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') return undefined;
        throw error;
      }));
    if (dungeon) {
      closing.push(dungeon.close);
      callers.set(readFileSync(path.join(home.gameServerTokens, dungeonToken), 'utf8').trim(), dungeon.caller);
    }
    const instances = dungeon
      ? `${LAPTOP_CONTENT.name}, when its server runs on UDP port ${places?.gamePort} (Agones' SDK: port ${places?.sdkPort})`
      : places
        ? `none: port ${places.sdkPort} of Agones' SDK is taken; give another one with --sdk-port`
        : 'none';
    const stopping = new AbortController();
    const broker: Broker = {
      settings: laptopSettings(realms, home, ports, dungeon !== undefined),
      database,
      view,
      metrics: makeMetrics(),
      log,
      passwords: passwordHasher(),
      sessionKeys,
      netcodeKeys,
      allocator: dungeon?.allocator,
      gameServers: staticTokens(callers),
      stopping: stopping.signal,
    };
    const server = await startServer(broker, { host: '127.0.0.1', ports }).catch((error: NodeJS.ErrnoException & { port?: number }) => {
      if (error.code !== 'EADDRINUSE') throw error;
      throw new Error(
        `Port ${error.port} is taken. The broker needs three in a row: ${ports.http} to ${ports.metrics}. Give others with --port.`,
      );
    });
    closing.push(server.close, () => stopping.abort());
    return { broker, ports: server.ports, instances, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function laptopSettings(
  realms: LaptopRealms,
  home: { readonly sessionKeys: string; readonly netcodeKeys: string },
  ports: LaptopOptions['ports'],
  hasInstances: boolean,
): Settings {
  return parseSettings(
    {
      publicUrl: `http://localhost:${ports.http || 8080}`,
      registration: 'open',
      ports: { http: ports.http || 8080, internal: ports.internal || 8081, metrics: ports.metrics || 8082 },
      trustedProxyHops: 0,
      shutdown: { drainSeconds: 0 },
      database: {
        host: 'localhost',
        port: 5432,
        name: 'embedded',
        applicationRole: 'embedded',
        credentialsDirectory: '-',
        caFile: '-',
        poolSize: 1,
      },
      sessions: { keysDirectory: home.sessionKeys },
      tokens: { keysDirectory: home.netcodeKeys, lifetimeSeconds: 35, timeoutSeconds: 5 },
      game: { protocolId: PROTOCOL_ID, build: BUILD },
      kubernetes: { audience: 'connect-broker', ...(hasInstances ? { instancesNamespace: 'instances' } : {}) },
      nodes: [],
      realms: realms.map((realm) => ({
        name: realm.name,
        title: realm.title,
        namespace: `realm-${realm.name}`,
        continents: realm.continents.map(({ name, title, capacity, address, port }) => ({ name, title, capacity, lan: { address, port } })),
      })),
      instances: hasInstances ? [LAPTOP_CONTENT] : [],
    },
    'of the laptop',
  );
}
