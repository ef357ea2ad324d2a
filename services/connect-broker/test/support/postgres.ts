/**
 * A PostgreSQL server for one run of the tests: initialised in a temporary folder, on loopback, gone afterwards.
 * It deliberately looks for the programs where Debian, Homebrew and PATH have them and says what it did not find.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';

export interface TestPostgres {
  readonly port: number;
  readonly superuser: string;
  /** PEM file of the authority of its certificate for `localhost`; undefined where openssl is missing, and then it speaks no TLS. */
  readonly caFile: string | undefined;
  /** Ends it without a word, as a failing node does; the data stay. */
  crash(): Promise<void>;
  /** Starts it again, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

function programs(): string | undefined {
  // For a look at what runs without it.
  if (process.env.BROKER_TEST_POSTGRES_BIN === 'none') return undefined;
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

/** A self-signed certificate for `localhost`, made for this run; it is its own authority. */
function makeCertificate(directory: string, user: { uid: number; gid: number } | undefined): string | undefined {
  const [certificate, key] = [path.join(directory, 'server.crt'), path.join(directory, 'server.key')];
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
  ];
  try {
    execFileSync('openssl', [...request, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate], {
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  chmodSync(key, 0o600);
  if (user) for (const file of [certificate, key]) chownSync(file, user.uid, user.gid);
  return certificate;
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
  const caFile = makeCertificate(directory, user);
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    fsync: 'off',
    max_connections: '200',
    ...(caFile === undefined ? {} : { ssl: 'on', ssl_cert_file: caFile, ssl_key_file: path.join(directory, 'server.key') }),
  };
  const start = (): ChildProcess =>
    spawn(
      path.join(bin, 'postgres'),
      ['-D', data, '-p', String(port), '-k', directory, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { stdio: 'ignore', ...user },
    );
  let child = start();
  const removed = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', () => {
    child.kill('SIGKILL');
    removed();
  });
  const answering = async () => {
    for (let tries = 0; ; tries++) {
      const client = new pg.Client({ host: '127.0.0.1', port, user: superuser, database: 'postgres' });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (tries > 100) throw new Error(`PostgreSQL did not start: ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  const ended = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  };
  await answering();
  return {
    port,
    superuser,
    caFile,
    // Immediate: what a node that fails looks like.
    crash: () => ended('SIGQUIT'),
    restart: async () => {
      await ended('SIGINT');
      child = start();
      await answering();
    },
    stop: async () => {
      await ended('SIGINT');
      removed();
    },
  };
}
