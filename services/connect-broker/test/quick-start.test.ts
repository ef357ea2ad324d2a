/** The README's quick start, run as it stands there: a token comes out. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { decodePublicToken } from 'netcode-token';
import { type RunningLaptop, startLaptop } from '../src/commands/laptop.ts';
import { laptopRealms } from '../src/laptop/realms.ts';

const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');
const script = /<!-- quick start[^\n]*\n```sh\n([\s\S]*?)\n```/.exec(readme)?.[1] ?? '';
const missing = (() => {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'curl was not found';
  }
})();

describe("the README's quick start", { skip: missing }, () => {
  let home: string;
  let laptop: RunningLaptop;
  before(async () => {
    home = mkdtempSync(path.join(os.tmpdir(), 'broker-quick-start-'));
    laptop = await startLaptop({ home, ports: { http: 0, internal: 0, metrics: 0 }, realms: laptopRealms(), logLevel: 'silent' });
  });
  after(async () => {
    await laptop.close();
    rmSync(home, { recursive: true, force: true });
  });

  test('ends with a connect token for the world that the character lives in', async () => {
    const text = script.replace('http://localhost:8080', `http://localhost:${laptop.ports.http}`);
    const { stdout } = await promisify(execFile)('bash', ['-euc', text]);
    const answer = JSON.parse(stdout.slice(stdout.lastIndexOf('{"'))) as { token: string };
    const { addresses } = decodePublicToken(Buffer.from(answer.token, 'base64'));
    assert.deepEqual(
      addresses.map(({ ip, port }) => `${ip}:${port}`),
      ['127.0.0.1:40000'],
    );
  });
});
