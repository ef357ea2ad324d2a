/**
 * Servers that end with the tests that started them: each in a process group of its own, all of them known to a guardian outside (guardian.cjs).
 * It deliberately knows nothing of what the servers are; readiness is the business of whoever starts them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ServerOptions {
  /** Short name, for its log file and for error messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** The environment variable by which the run's setup tells its workers the process of the run. */
export const RUN = 'MMO_TEST_RUN';

export class Processes {
  /** Data, keys and logs; only the owner can read it, and it goes with the processes. */
  readonly folder: string;
  private readonly guardian: ChildProcess;
  /** Process groups of the servers, in the order in which they were started. */
  readonly pids: number[] = [];
  private readonly ended = new Map<string, string>();
  private stopping = false;

  /** @param name the temporary folder's name begins with it */
  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `${name}-`));
    mkdirSync(join(this.folder, 'log'));
    this.guardian = spawn(process.execPath, [join(process.cwd(), 'test', 'cluster', 'guardian.cjs')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
    });
    this.guardian.unref();
    this.guardian.stdin?.on('error', () => undefined);
    this.tell(`folder ${this.folder}`);
    if (process.env[RUN]) this.tell(`run ${process.env[RUN]}`);
  }

  /** Starts a server. Its output goes to `log/<name>.log` in the folder. */
  start({ name, command, args, env = {}, cwd = this.folder }: ServerOptions): number {
    const log = openSync(this.logOf(name), 'a');
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd,
      // GOGC: all of them are Go programs that live for minutes; memory is there, and collecting it is a third of their work.
      env: { PATH: process.env.PATH ?? '', HOME: this.folder, TMPDIR: this.folder, GOGC: '400', ...env },
    });
    closeSync(log);
    if (child.pid === undefined) {
      child.on('error', () => undefined);
      throw new Error(`${command} could not be started: is it there, and executable?`);
    }
    this.pids.push(child.pid);
    this.tell(`group ${child.pid}`);
    child.on('exit', (code, signal) => {
      if (!this.stopping) this.ended.set(name, signal ?? `exit code ${code}`);
    });
    child.unref();
    return child.pid;
  }

  /**
   * Waits until `ready` answers without throwing.
   * @throws when the server ended, or the time is up; the message holds the end of its log.
   */
  async until<Result>(name: string, ready: () => Promise<Result>, seconds = 120): Promise<Result> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      try {
        return await ready();
      } catch (error) {
        const end = this.ended.get(name);
        if (end !== undefined) throw new Error(`${name} ended (${end}) before it was ready. The end of its log:\n${this.tail(name)}`);
        if (Date.now() > deadline) {
          throw new Error(
            `${name} was not ready after ${seconds} s; the last attempt: ${(error as Error).message}. The end of its log:\n${this.tail(name)}`,
          );
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Ends every server and removes the folder; done when nothing is left. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.guardian.exitCode !== null) return;
    this.guardian.ref();
    const ended = new Promise((resolve) => this.guardian.once('exit', resolve));
    this.guardian.stdin?.end();
    await ended;
  }

  /** The end of a server's log. */
  tail(name: string, characters = 4000): string {
    return readFileSync(this.logOf(name), 'utf8').slice(-characters);
  }

  private logOf(name: string): string {
    return join(this.folder, 'log', `${name}.log`);
  }

  private tell(line: string): void {
    this.guardian.stdin?.write(`${line}\n`);
  }
}

/** Below what kernels give to outgoing connections (Linux: from 32768 on), one of which would have taken a port by the time its server starts; seen. */
const PORTS = { first: 12_000, last: 29_999 };

/** Ports of 127.0.0.1 that are free now. All are held until all are known, so that none is named twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let attempt = 0; servers.length < count; attempt += 1) {
    if (attempt > 1000) throw new Error(`No ${count} ports of 127.0.0.1 from ${PORTS.first} to ${PORTS.last} are free.`);
    const server = await listening(randomInt(PORTS.first, PORTS.last + 1));
    if (server) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined)).listen(port, '127.0.0.1', () => resolve(server));
  });
}
