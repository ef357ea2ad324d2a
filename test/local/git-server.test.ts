/** The Git that serves a laptop's repository, by real git on loopback: what is pushed through a pipe can be fetched, and nobody can write. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { daemonArguments, GIT_URL, gitServer, receiveProgram } from '../../lib/local/git-server';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'git-server-'));
const served = path.join(scratch, 'served');
const work = path.join(scratch, 'work');
const git = (folder: string, ...args: readonly string[]) =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@test.invalid', ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
const push = (): string =>
  execFileSync('sh', ['-c', receiveProgram(served)], {
    input: execFileSync('git', ['bundle', 'create', '--quiet', '-', 'main'], { cwd: work }),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  }).trim();
const commit = (text: string): string => {
  writeFileSync(path.join(work, 'file'), text);
  git(work, 'add', '--all');
  git(work, 'commit', '--quiet', '--message', text);
  return git(work, 'rev-parse', 'HEAD');
};
let url: string;
let daemon: ChildProcess;

beforeAll(async () => {
  for (const folder of [served, work]) mkdirSync(folder);
  git(work, 'init', '--quiet', '--initial-branch=main');
  const port = await freePort();
  url = `git://127.0.0.1:${port}${new URL(GIT_URL).pathname}`;
  daemon = spawn('git', daemonArguments(served, port, '127.0.0.1'), { stdio: 'ignore', detached: true });
  await listening(port);
});
afterAll(async () => {
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  // git starts the daemon as a process of its own.
  if (daemon.pid !== undefined) process.kill(-daemon.pid, 'SIGTERM');
  await ended;
  rmSync(scratch, { recursive: true, force: true });
});

test('the first push makes the repository, and later ones move the branch', () => {
  for (const text of ['first', 'second']) {
    const pushed = commit(text);
    expect(push()).toBe(pushed);
    expect(git(scratch, 'ls-remote', url, 'refs/heads/main').split('\t')[0]).toBe(pushed);
  }
});

test('a history that was rewritten is served as it is now', () => {
  commit('to be amended');
  push();
  git(work, 'commit', '--quiet', '--amend', '--message', 'amended');
  expect(push()).toBe(git(work, 'rev-parse', 'HEAD'));
});

/** A folder of the test's own with what the server has. */
const cloned = (): string => {
  const folder = mkdtempSync(path.join(scratch, 'clone-'));
  git(scratch, 'clone', '--quiet', url, folder);
  return folder;
};

test('what is fetched are the files', () => {
  const pushed = commit('third');
  push();
  const clone = cloned();
  expect([readFileSync(path.join(clone, 'file'), 'utf8'), git(clone, 'rev-parse', 'HEAD')]).toEqual(['third', pushed]);
});

test('nobody can push over the network', () => {
  commit('to be cloned');
  push();
  const clone = cloned();
  git(clone, 'commit', '--quiet', '--allow-empty', '--message', 'from outside');
  expect(() => git(clone, 'push', '--quiet', url, 'main')).toThrow('access denied');
});

test('a text that is no bundle changes nothing', () => {
  commit('to be kept');
  push();
  const before = git(scratch, 'ls-remote', url, 'refs/heads/main');
  expect(() => execFileSync('sh', ['-c', receiveProgram(served)], { input: 'no bundle', stdio: ['pipe', 'pipe', 'pipe'] })).toThrow();
  expect(git(scratch, 'ls-remote', url, 'refs/heads/main')).toBe(before);
});

test('in the cluster the same arguments serve the port of the Service', () => {
  const objects = gitServer('image');
  const [container] = objects.find(({ kind }) => kind === 'Deployment')?.spec.template.spec.containers ?? [];
  const service = objects.find(({ kind }) => kind === 'Service');
  expect(container.command).toEqual(['git', ...daemonArguments('/git')]);
  expect(container.command).toContain(`--port=${service?.spec.ports[0].port}`);
  expect(new URL(GIT_URL).hostname).toBe(`${service?.metadata.name}.${service?.metadata.namespace}.svc.cluster.local`);
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
