/** `npm run local` as people run it, where there is no Docker: what it prints, what it refuses, and that it then has touched nothing. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { main } from '../../commands/local';

const empty = mkdtempSync(path.join(os.tmpdir(), 'no-programs-'));
const there = existsSync('.local');
afterAll(() => rmSync(empty, { recursive: true, force: true }));

async function command(...args: readonly string[]): Promise<{ code: number; said: string; wrong: string }> {
  const said: string[] = [];
  const wrong: string[] = [];
  const out = jest.spyOn(console, 'log').mockImplementation((text: unknown) => void said.push(String(text)));
  const error = jest.spyOn(console, 'error').mockImplementation((text: unknown) => void wrong.push(String(text)));
  const before = process.env.PATH;
  process.env.PATH = empty;
  try {
    return { code: await main(args), said: said.join('\n'), wrong: wrong.join('\n') };
  } finally {
    process.env.PATH = before;
    out.mockRestore();
    error.mockRestore();
  }
}

test.each(['--print', '--dry-run'])('%s says every step with its commands and needs no program', async (option) => {
  const { code, said, wrong } = await command(option, '--game-image', 'my-game:dev');
  expect({ code, wrong }).toEqual({ code: 0, wrong: '' });
  expect(said.split('\n').filter((line) => /^\d+\. /.test(line))).toHaveLength(9);
  for (const line of [
    'kind create cluster --name local',
    'docker tag my-game:dev',
    'bash terraform/modules/bootstrap/scripts/sealing-key.sh',
    'http://localhost:8090',
  ])
    expect(said).toContain(line);
});

test('--print --down says the one command', async () => {
  expect(await command('--print', '--down')).toEqual({ code: 0, said: 'kind delete cluster --name local', wrong: '' });
});

test('a machine without the programs is told all of them at once', async () => {
  const { code, wrong } = await command();
  expect(code).toBe(1);
  expect(wrong.split('\n').map((line) => /^ {2}- (\w+):/.exec(line)?.[1])).toEqual([undefined, 'docker', 'kind', 'kubectl', 'helm', 'git']);
});

test.each([
  ['--port', '70000', '--port must be a whole number from 0 to 65535. See --help.'],
  ['--minutes', '0', '--minutes must be a whole number from 1 to 1440. See --help.'],
  ['--minutes', 'x', '--minutes must be a whole number from 1 to 1440. See --help.'],
])('%s %s is wrong usage', async (option, value, sentence) => {
  expect(await command(option, value)).toEqual({ code: 2, said: '', wrong: sentence });
});

test('none of this made a folder', () => {
  expect(existsSync('.local')).toBe(there);
});
