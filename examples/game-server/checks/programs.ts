/**
 * The example's two programs and the laptop's broker as the checks start them.
 * It deliberately checks nothing; whatever it starts ends with the checks (`Leftovers`).
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Backend, type World } from '../../../packages/netcode-token/interop/backend.ts';
import { freeTcpPorts, freeUdpPort } from '../../../packages/netcode-token/interop/ports.ts';
import { type Leftovers, type Line, Program } from '../../../packages/netcode-token/interop/processes.ts';

const FOLDER = path.join(import.meta.dirname, '..');
/** Protocol id and build of the laptop's broker. */
export const LAPTOP = { protocolId: '0x4d4d4f0000000001', build: '0.1.0' } as const;

export const is = (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
  const wanted = Object.entries(fields);
  return (line: Line): boolean => line.message === message && wanted.every(([name, value]) => line[name] === value);
};

/** Builds the programs. @throws with what cargo says */
export async function build(leftovers: Leftovers): Promise<void> {
  const args = [
    'build',
    '--quiet',
    '--locked',
    '--manifest-path',
    path.join(FOLDER, 'Cargo.toml'),
    '--target-dir',
    path.join(FOLDER, 'target'),
  ];
  const cargo = leftovers.program(new Program('cargo', 'cargo', args), 'SIGTERM');
  const code = await cargo.ended;
  if (code !== 0) throw new Error(`cargo could not build the example (exit code ${code}):\n${cargo.complaints}`);
}

const binary = (name: string): string => path.join(FOLDER, 'target/debug', name);

/** A game server. @param environment all of it but what the machine has */
export function serverProgram(name: string, environment: NodeJS.ProcessEnv, args: readonly string[] = []): Program {
  return new Program(name, binary('game-server'), args, environment);
}

/** A headless client with its token; more lines are wishes. */
export function clientProgram(name: string, renetToken: string, args: readonly string[] = []): Program {
  const client = new Program(name, binary('game-client'), args);
  client.write(renetToken);
  return client;
}

/** Which save of a folder would be loaded. @throws when none verifies */
export async function verify(folder: string): Promise<{ readonly generation: number; readonly savedAt: string }> {
  const program = serverProgram('game-server verify', {}, ['verify', folder]);
  if ((await program.ended) !== 0) throw new Error(`${folder} does not verify: ${JSON.stringify(program.lines)}`);
  const verified = await program.until('verified', is('verified'));
  return { generation: Number(verified.generation), savedAt: String(verified.savedAt) };
}

/** The laptop's broker on free ports, and one world of its list. */
export class Laptop {
  readonly backend: Backend;
  readonly world: World;
  readonly folder: string;
  /** Of the dungeon's server: Agones' SDK (TCP) and the game (UDP). */
  readonly dungeon: { readonly sdk: number; readonly game: number };
  readonly #port: number;
  readonly #leftovers: Leftovers;

  private constructor(leftovers: Leftovers, folder: string, world: World, dungeon: Laptop['dungeon'], port: number) {
    this.#leftovers = leftovers;
    this.folder = folder;
    this.world = world;
    this.dungeon = dungeon;
    this.#port = port;
    this.backend = new Backend(port, path.join(folder, '.broker'));
  }

  static async start(leftovers: Leftovers): Promise<Laptop> {
    const [port, game] = [await freeUdpPort('127.0.0.1'), await freeUdpPort('127.0.0.1')];
    if (port === undefined || game === undefined) throw new Error('No UDP port of 127.0.0.1 can be bound.');
    const world = { realm: 'aurora', continent: 'eldermoor', address: '127.0.0.1', port };
    const laptop = new Laptop(
      leftovers,
      leftovers.folder('game-server-example'),
      world,
      { sdk: await freeTcpPorts(1), game },
      await freeTcpPorts(3),
    );
    await laptop.#start();
    return laptop;
  }

  async #start(): Promise<void> {
    const realms = path.join(this.folder, 'realms.json');
    const { realm, continent, address, port } = this.world;
    writeFileSync(
      realms,
      JSON.stringify([{ name: realm, title: realm, continents: [{ name: continent, title: continent, capacity: 64, address, port }] }]),
    );
    const main = path.join(FOLDER, '../../services/connect-broker/src/main.ts');
    const args = ['--import', 'tsx', '--conditions=source', main, 'laptop', '--port', String(this.#port), '--home', this.backend.home];
    const instances = ['--sdk-port', String(this.dungeon.sdk), '--instance-port', String(this.dungeon.game)];
    const broker = this.#leftovers.program(
      new Program('the broker', process.execPath, [...args, '--realms', realms, ...instances]),
      'SIGTERM',
    );
    await broker.until('The connect broker runs', ({ message }) => message.startsWith('The connect broker runs'), { seconds: 120 });
  }
}

/** A world's server on a laptop, which can be ended and started again on the same folder. */
export class WorldServer {
  readonly program: Program;
  readonly #status: number;
  readonly #metrics: number;

  private constructor(program: Program, status: number, metrics: number) {
    this.program = program;
    this.#status = status;
    this.#metrics = metrics;
  }

  /** @param settings variables beside those of the platform @throws when it does not serve */
  static async start(leftovers: Leftovers, { backend, world, folder }: Laptop, settings: NodeJS.ProcessEnv = {}): Promise<WorldServer> {
    const [status, metrics] = [await freeTcpPorts(1), await freeTcpPorts(1)];
    const program = leftovers.program(
      serverProgram('the game server', {
        ...backend.serverEnvironment(world, LAPTOP.protocolId, LAPTOP.build),
        MMO_STATUS_PORT: String(status),
        MMO_METRICS_PORT: String(metrics),
        MMO_WORLD_DIRECTORY: path.join(folder, 'world'),
        ...settings,
      }),
      'SIGTERM',
    );
    await program.until('serving', is('serving'));
    return new WorldServer(program, status, metrics);
  }

  /** A GET of the status port. */
  async get(route: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.#status}${route}`);
    return { status: response.status, text: await response.text() };
  }

  async status(): Promise<Readonly<Record<string, unknown>>> {
    return JSON.parse((await this.get('/status')).text);
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#metrics}/metrics`)).text();
  }
}

/** What building the example needs beside Node. */
export function missingPrograms(): string[] {
  const needed = [
    ['cargo', 'Rust (https://rustup.rs)'],
    ['protoc', 'protoc (Debian: protobuf-compiler and libprotobuf-dev)'],
  ] as const;
  return needed.filter(([program]) => spawnSync(program, ['--version']).status !== 0).map(([, name]) => name);
}
