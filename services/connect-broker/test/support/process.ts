/**
 * The broker's program as a process of its own, with the files that a pod has, on free ports.
 * It deliberately runs the sources, not the bundle, unless BROKER_TEST_PROGRAM names another main.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Settings } from '../../src/settings.ts';
import { testSettings } from './broker.ts';
import type { PostgresAddress } from './databases.ts';
import { freePort } from './postgres.ts';

const home = path.join(import.meta.dirname, '../..');

export interface PodFiles {
  readonly configFile: string;
  readonly ports: { readonly http: number; readonly internal: number; readonly autoscaler: number; readonly metrics: number };
  dispose(): void;
}

/** Files as the manifests mount them, for the role `username` of a test's database. TLS is verified against BROKER_TEST_POSTGRES_CA. */
export async function podFiles(
  database: { readonly name: string; readonly address: PostgresAddress; readonly username: string },
  changes: Partial<Settings> = {},
  caFile = process.env.BROKER_TEST_POSTGRES_CA,
): Promise<PodFiles> {
  if (caFile === undefined) throw new Error('BROKER_TEST_POSTGRES_CA is not set: the test PostgreSQL has no certificate.');
  const directory = mkdtempSync(path.join(os.tmpdir(), 'broker-pod-'));
  const folder = (name: string, files: Readonly<Record<string, string | Uint8Array>>) => {
    mkdirSync(path.join(directory, name));
    for (const [file, content] of Object.entries(files)) writeFileSync(path.join(directory, name, file), content);
    return path.join(directory, name);
  };
  const ports = { http: await freePort(), internal: await freePort(), autoscaler: await freePort(), metrics: await freePort() };
  const settings = testSettings();
  const { openId: _openId, ...contract } = settings;
  const config = {
    ...contract,
    ports,
    database: {
      host: 'localhost',
      port: database.address.port,
      name: database.name,
      applicationRole: 'broker',
      credentialsDirectory: folder('database', { username: database.username, password: 'not asked for' }),
      caFile,
      poolSize: 5,
    },
    sessions: { keysDirectory: folder('session-keys', { 'generation-1': randomBytes(32) }) },
    tokens: {
      ...settings.tokens,
      keysDirectory: folder(
        'netcode-keys',
        Object.fromEntries([
          ...settings.realms.map(({ name }) => [`realm.${name}.1`, randomBytes(32)]),
          ...settings.instances.map(({ name }) => [`instance.${name}.1`, randomBytes(32)]),
        ]),
      ),
    },
    ...changes,
  };
  const configFile = path.join(directory, 'config.json');
  writeFileSync(configFile, JSON.stringify(config));
  return { configFile, ports, dispose: () => rmSync(directory, { recursive: true, force: true }) };
}

export interface Program {
  readonly child: ChildProcess;
  /** Everything that it has written so far. */
  output(): string;
  /** Its exit status; a signal counts as 128. */
  readonly exited: Promise<number>;
}

export function startProgram(args: readonly string[], environment: Readonly<Record<string, string>>): Program {
  const bundle = process.env.BROKER_TEST_PROGRAM;
  const runtime = bundle ? [bundle] : ['--import', 'tsx', '--conditions=source', path.join(home, 'src/main.ts')];
  const child = spawn(process.execPath, [...runtime, ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 128)));
  return { child, output: () => output, exited };
}
