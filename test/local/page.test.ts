/** The page for one browser on this machine, in front of a real broker (the laptop's): a player is logged in, and other sites' pages get nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { PlayersPage, type Upstream } from '../../lib/local/page';

const PATIENCE = 120_000;
const player = { name: 'local-player', password: 'a-long-enough-password-of-a-test' };
const home = mkdtempSync(path.join(os.tmpdir(), 'page-'));
let broker: ChildProcess;
let upstream: Upstream;
let page: PlayersPage;
let url: string;

beforeAll(async () => {
  const port = await freePorts();
  upstream = { publicUrl: `http://localhost:${port}`, host: '127.0.0.1', port };
  broker = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', 'services/connect-broker/src/main.ts', 'laptop', '--port', String(port), '--home', home],
    { stdio: 'ignore' },
  );
  for (;;) {
    if (broker.exitCode !== null) throw new Error(`The broker ended with ${broker.exitCode}.`);
    const answer = await fetch(`${upstream.publicUrl}/v1/realms`).catch(() => undefined);
    if (answer !== undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  page = new PlayersPage(upstream);
  expect(await page.logIn(player)).toBe('registered');
  url = await page.serve(0);
}, PATIENCE);
afterAll(async () => {
  await page?.close();
  const ended = new Promise((resolve) => broker.once('exit', resolve));
  broker.kill('SIGTERM');
  await ended;
  rmSync(home, { recursive: true, force: true });
}, PATIENCE);

/** As a browser sends it; fetch would not let us write these headers. */
function ask(method: string, at: string, headers: Readonly<Record<string, string>> = {}, body?: string) {
  const target = new URL(at, url);
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
    const asked = httpRequest(
      { host: '127.0.0.1', port: target.port, path: target.pathname, method, headers: { host: target.host, ...headers } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}
const json = { 'content-type': 'application/json' };

test('a browser without a cookie is the logged-in player', async () => {
  const { status, text } = await ask('GET', '/v1/account');
  expect({ status, name: JSON.parse(text).name }).toEqual({ status: 200, name: player.name });
});

test("it shows the broker's page with its own protections", async () => {
  const { status, headers, text } = await ask('GET', '/');
  expect(status).toBe(200);
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(text).toContain('<!doctype html>');
});

test('what the page changes is taken', async () => {
  const made = await ask('POST', '/v1/characters', { ...json, origin: url }, JSON.stringify({ name: 'Mira', realm: 'aurora' }));
  expect(made.status).toBe(201);
});

test("what another site's page sends is refused by the broker", async () => {
  const { status, text } = await ask(
    'POST',
    '/v1/characters',
    { ...json, origin: 'https://evil.example' },
    JSON.stringify({ name: 'Eve', realm: 'aurora' }),
  );
  expect({ status, code: JSON.parse(text).code }).toEqual({ status: 403, code: 'wrong-origin' });
});

test('a name that somebody else points at this machine gets nothing', async () => {
  expect((await ask('GET', '/v1/account', { host: `evil.example:${new URL(url).port}` })).status).toBe(421);
});

test("the player's cookie never reaches the browser", async () => {
  const { headers } = await ask('POST', '/v1/sessions', { ...json, origin: url }, JSON.stringify({ ...player, kind: 'cookie' }));
  expect(headers['set-cookie']).toBeUndefined();
});

test('a second run logs the same player in', async () => {
  const second = new PlayersPage(upstream);
  expect(await second.logIn(player)).toBe('logged in');
  expect(await second.account()).toBe(player.name);
});

test('a password that is not right is told with what the broker said', async () => {
  await expect(new PlayersPage(upstream).logIn({ ...player, password: 'another-long-enough-password' })).rejects.toThrow(
    /^The player 'local-player' can neither log in \(401: .+\) nor register \(409: .+\)\.$/,
  );
});

test('logging out on the page ends it for the page', async () => {
  const own = new PlayersPage(upstream);
  await own.logIn(player);
  const at = await own.serve(0);
  try {
    expect((await ask('DELETE', `${at}/v1/sessions/current`, { origin: at })).status).toBeLessThan(300);
    expect((await ask('GET', `${at}/v1/account`)).status).toBe(401);
  } finally {
    await own.close();
  }
});

test('a broker that does not answer is told as such', async () => {
  const [free] = [await freePorts()];
  const none = new PlayersPage({ ...upstream, port: free });
  const at = await none.serve(0);
  try {
    expect(await ask('GET', `${at}/`)).toMatchObject({ status: 502, text: expect.stringContaining('The broker does not answer') });
  } finally {
    await none.close();
  }
});

/** The first of three free ports in a row: players', game servers' and metrics'. */
async function freePorts(): Promise<number> {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 12_000);
    if ((await Promise.all([0, 1, 2].map((offset) => isFree(base + offset)))).every(Boolean)) return base;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
