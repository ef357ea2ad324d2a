/**
 * `npm run interop -w netcode-token`: tokens of the running broker against real netcode servers and clients over UDP on loopback.
 * It deliberately is no part of `npm test`, because it needs cargo. One line a check; the last line is the sum.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeConnectToken, decodeUserData, formatProtocolId, tokenFromBase64 } from 'netcode-token';
import { Backend, type Ticket, type World } from './backend.ts';
import * as checks from './checks.ts';
import { freeTcpPorts, freeUdpPort } from './ports.ts';
import { Leftovers, Program } from './processes.ts';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.join(HERE, '../../..');
const BINARY = path.join(HERE, 'target/debug/netcode-token-interop');
const REQUIRED = process.env.INTEROP_REQUIRED === '1';
/** Seconds between two reports; 5 in earnest. */
const REPORT_SECONDS = '0.5';

let passed = 0;
let failed = 0;

const leftovers = new Leftovers();

async function check(name: string, prove: () => Promise<void>): Promise<void> {
  if (leftovers.interrupted) return;
  try {
    await prove();
    passed += 1;
    console.log(`ok: ${name}`);
  } catch (error) {
    if (leftovers.interrupted) return;
    failed += 1;
    console.log(`FAILED: ${name}\n    ${error instanceof Error ? error.message : error}`);
  }
}

function skip(why: string): void {
  console.log(`${REQUIRED ? 'FAILED' : 'skipped'}: ${why}`);
  if (REQUIRED) failed += 1;
}

/** Parts of the README's Rust, between lines of only `// …`, that are in none of the program's files; white space at the beginning of lines does not count. */
function straySnippets(): string[] {
  const plain = (text: string) => text.replaceAll(/^\s+/gm, '').trim();
  const sources = readdirSync(path.join(HERE, 'src')).map((file) => plain(readFileSync(path.join(HERE, 'src', file), 'utf8')));
  const blocks = [...readFileSync(path.join(HERE, 'README.md'), 'utf8').matchAll(/^```rust\n(.*?)^```$/gms)].map(([, block = '']) => block);
  if (blocks.length === 0) return ['(nothing)'];
  return blocks
    .flatMap((block) => block.split(/^\s*\/\/ …$/m).map(plain))
    .filter((part) => !sources.some((source) => source.includes(part)));
}

/** Makes the Rust program. @throws with what cargo says */
async function build(): Promise<void> {
  const args = [
    'build',
    '--quiet',
    '--locked',
    '--manifest-path',
    path.join(HERE, 'Cargo.toml'),
    '--target-dir',
    path.join(HERE, 'target'),
  ];
  const cargo = leftovers.program(new Program('cargo', 'cargo', args), 'SIGTERM');
  const code = await cargo.ended;
  if (code !== 0) throw new Error(`cargo could not build the program (exit code ${code}):\n${cargo.complaints}`);
}

/** The worlds, each on a UDP port of its own. The one on IPv6 is left out where the machine has none. */
async function worlds(): Promise<{ eldermoor: World; sunreach: World; nightfall: World; lagoon: World | undefined }> {
  const world = async (realm: string, continent: string, address: string): Promise<World | undefined> => {
    const port = await freeUdpPort(address);
    return port === undefined ? undefined : { realm, continent, address, port };
  };
  const [eldermoor, sunreach, nightfall, lagoon] = [
    await world('aurora', 'eldermoor', '127.0.0.1'),
    await world('aurora', 'sunreach', '127.0.0.1'),
    await world('umbra', 'nightfall', '127.0.0.1'),
    await world('tidal', 'lagoon', '::1'),
  ];
  if (!eldermoor || !sunreach || !nightfall) throw new Error('No UDP port of 127.0.0.1 can be bound.');
  return { eldermoor, sunreach, nightfall, lagoon };
}

/** The list of realms as the laptop's broker reads it. */
function realmsFile(folder: string, list: readonly World[]): string {
  const file = path.join(folder, 'realms.json');
  const realms = [...new Set(list.map(({ realm }) => realm))].map((realm) => ({
    name: realm,
    title: realm,
    continents: list
      .filter((world) => world.realm === realm)
      .map(({ continent, address, port }) => ({ name: continent, title: continent, capacity: 64, address, port })),
  }));
  writeFileSync(file, JSON.stringify(realms));
  return file;
}

/** The laptop's broker, which can be stopped and started again. */
class LaptopBroker {
  readonly home: string;
  readonly #realms: string;
  readonly #port: number;
  #program: Program | undefined;

  constructor(folder: string, list: readonly World[], port: number) {
    this.home = path.join(folder, 'home');
    this.#realms = realmsFile(folder, list);
    this.#port = port;
  }

  #command(name: string, args: readonly string[]): Program {
    const main = path.join(ROOT, 'services/connect-broker/src/main.ts');
    const all = ['--import', 'tsx', '--conditions=source', main, ...args, '--home', this.home, '--realms', this.#realms];
    return leftovers.program(new Program(name, process.execPath, all), 'SIGTERM');
  }

  async start(): Promise<void> {
    this.#program = this.#command('the broker', ['laptop', '--port', String(this.#port)]);
    await this.#program.until('The connect broker runs', ({ message }) => message.startsWith('The connect broker runs'), { seconds: 120 });
  }

  async stop(): Promise<void> {
    const code = await this.#program?.end('SIGTERM');
    if (code !== 0) throw new Error(`The broker ended with ${code ?? 'a signal'} and not with 0.`);
  }

  async makeAdmin(name: string): Promise<void> {
    const command = this.#command('the admin command', ['admin', 'make-admin', name]);
    if ((await command.ended) !== 0) throw new Error(`The admin command failed: ${command.complaints}`);
  }
}

/** What the laptop's broker says that servers are: protocol id and build, as a token has them. */
function serverSettings({ home }: Backend, { realm }: World, { token }: Ticket): { protocolId: string; build: string } {
  const key = readFileSync(path.join(home, 'netcode-keys', `realm.${realm}.1`));
  const { publicToken, privatePart } = decodeConnectToken(tokenFromBase64(token), { key });
  return { protocolId: formatProtocolId(publicToken.protocolId), build: decodeUserData(privatePart.userData).build };
}

async function run(): Promise<void> {
  const folder = leftovers.folder();
  const { eldermoor, sunreach, nightfall, lagoon } = await worlds();
  const port = await freeTcpPorts(3);
  const broker = new LaptopBroker(folder, [eldermoor, sunreach, nightfall, ...(lagoon ? [lagoon] : [])], port);
  const backend = new Backend(port, broker.home);
  await Promise.all([broker.start(), build()]);

  const latecomer = await backend.newPlayer(eldermoor);
  const late = await backend.connect(latecomer, eldermoor);
  const { protocolId, build: gameBuild } = serverSettings(backend, eldermoor, late);
  const serve = async (world: World, kind: checks.ClientKind): Promise<checks.GameServer> => {
    const args = ['server', kind, '--report-seconds', REPORT_SECONDS, '--debug'];
    const environment = backend.serverEnvironment(world, protocolId, gameBuild);
    const program = leftovers.program(new Program(`the server of ${world.realm}/${world.continent}`, BINARY, args, environment));
    await program.until('serving', ({ message }) => message === 'serving');
    return { world, program };
  };
  const stage: checks.Stage = {
    backend,
    check,
    client: (kind, tickets, args = []) => {
      const program = leftovers.program(new Program(`the ${kind} client`, BINARY, ['client', kind, ...args]));
      for (const { renet, token } of tickets) program.write(kind === 'renet' ? renet : token);
      return program;
    },
    withoutBroker: async (work) => {
      await broker.stop();
      await work();
      await broker.start();
    },
    makeAdmin: (name) => broker.makeAdmin(name),
    renet: await serve(eldermoor, 'renet'),
    official: await serve(nightfall, 'official'),
    ipv6: lagoon && (await serve(lagoon, 'renet')),
    neighbour: sunreach,
  };

  await checks.playing(stage);
  await checks.forgeries(stage);
  await checks.successors(stage);
  await checks.families(stage);
  if (stage.ipv6) await checks.ipv6(stage, stage.ipv6);
  else skip('IPv6, because ::1 cannot be bound on this machine');
  await checks.outageAndBans(stage);
  await checks.expiry(stage, late);
  await checks.ending(stage, latecomer);
}

await check('the README’s Rust is the program’s own code', async () => {
  const strays = straySnippets();
  if (strays.length > 0) throw new Error(`README.md shows what no file of src has:\n${strays.join('\n')}`);
});
if (spawnSync('cargo', ['--version']).status === 0) {
  await check('the broker, the servers and the clients run and end', () => run().finally(() => leftovers.clean()));
} else {
  skip('cargo is not installed; the checks need Rust (https://rustup.rs)');
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
