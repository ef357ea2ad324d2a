/** The commands as functions: every one that package.json runs explains itself and refuses what it does not know. What needs a process of its own is in processes.test.ts. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const scripts: Record<string, string> = JSON.parse(readFileSync('package.json', 'utf8')).scripts;
const commands = Object.entries(scripts).flatMap(([script, line]) => {
  const command = /^node (?:--[a-z-]+ )*commands\/run\.mjs ([a-z-]+)$/.exec(line)?.[1];
  return command === undefined ? [] : [{ script, command }];
});

async function run(command: string, ...args: string[]) {
  const { main } = (await import(path.resolve('commands', `${command}.ts`))) as { main: (args: readonly string[]) => Promise<number> };
  const lines = { stdout: [] as string[], stderr: [] as string[] };
  const log = jest.spyOn(console, 'log').mockImplementation((text) => lines.stdout.push(String(text)));
  const error = jest.spyOn(console, 'error').mockImplementation((text) => lines.stderr.push(String(text)));
  try {
    return { code: await main(args), stdout: lines.stdout.join('\n'), stderr: lines.stderr.join('\n') };
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
}

test('package.json runs at least the commands that people use every day', () => {
  expect(commands.map(({ script }) => script)).toEqual(expect.arrayContaining(['synth', 'check', 'import', 'seal', 'bench']));
});

describe.each(commands)('npm run $script', ({ script, command }) => {
  test('explains itself with --help', async () => {
    const { code, stdout } = await run(command, '--help');
    expect([code, stdout.includes(`npm run ${script}`)]).toEqual([0, true]);
  });

  test('names an option that it does not know, with exit code 2', async () => {
    const { code, stderr } = await run(command, '--nope');
    expect([code, stderr.split('\n')[0]]).toEqual([2, expect.stringMatching(/^Unknown option '--nope'/)]);
  });
});

test.each(['synth', 'check', 'seal', 'charts-verify', 'bench'])('%s says what is wrong with an option in one line', async (command) => {
  expect((await run(command, '--nope')).stderr).toBe("Unknown option '--nope'. See --help.");
});

test('an option without its value is wrong usage too', async () => {
  expect((await run('synth', '--release')).code).toBe(2);
});

test('an argument that a command does not take is wrong usage too', async () => {
  expect((await run('synth', 'homelab')).code).toBe(2);
});

test('cdk8s may not write into dist, because it deletes its folder first', async () => {
  process.env.CDK8S_OUTDIR = 'dist';
  try {
    expect((await run('app')).code).toBe(2);
  } finally {
    delete process.env.CDK8S_OUTDIR;
  }
});
