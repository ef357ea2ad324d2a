/**
 * A PostgreSQL server for one run of the tests: initialised in a temporary folder, on loopback, gone afterwards.
 * It deliberately looks for the programs where Debian, Homebrew and PATH have them and says what it did not find.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';

export interface TestPostgres {
  readonly port: number;
  readonly superuser: string;
  stop(): Promise<void>;
}

function programs(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env.BROKER_TEST_POSTGRES_BIN ? [process.env.BROKER_TEST_POSTGRES_BIN] : []),
    ...versions.map((version) => path.join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(path.delimiter),
    '/opt/homebrew/opt/postgresql@17/bin',
  ];
  return folders.find((folder) => existsSync(path.join(folder, 'initdb')) && existsSync(path.join(folder, 'postgres')));
}

/** PostgreSQL refuses to run as root: then it runs as Debian's own user, or as nobody. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string, user: string) =>
    Number(execFileSync('id', [option, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  for (const user of ['postgres', 'nobody']) {
    try {
      return { uid: id('-u', user), gid: id('-g', user) };
    } catch {}
  }
  return undefined;
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Starts a server, or gives undefined when there are no programs. */
export async function startTestPostgres(): Promise<TestPostgres | undefined> {
  const bin = programs();
  if (!bin) return undefined;
  const user = unprivileged();
  const directory = mkdtempSync(path.join(os.tmpdir(), 'broker-postgres-'));
  if (user) chownSync(directory, user.uid, user.gid);
  const data = path.join(directory, 'data');
  const superuser = 'tests';
  execFileSync(path.join(bin, 'initdb'), ['-D', data, '-U', superuser, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'], {
    stdio: 'ignore',
    ...user,
  });
  const port = await freePort();
  const start = (): ChildProcess =>
    spawn(
      path.join(bin, 'postgres'),
      ['-D', data, '-p', String(port), '-k', directory, '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-c', 'max_connections=200'],
      { stdio: 'ignore', ...user },
    );
  const child = start();
  const removed = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', () => {
    child.kill('SIGKILL');
    removed();
  });
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: superuser, database: 'postgres' });
    try {
      await client.connect();
      await client.end();
      break;
    } catch (error) {
      if (tries > 100) throw new Error(`PostgreSQL did not start: ${(error as Error).message}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return {
    port,
    superuser,
    stop: async () => {
      child.kill('SIGINT');
      await new Promise((resolve) => child.once('exit', resolve));
      removed();
    },
  };
}
