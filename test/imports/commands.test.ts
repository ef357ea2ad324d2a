/** `npm run import` and `npm run crds` as a user starts them: help, unknown options, exit codes. */
/* The commands around the import: their options, what they print, and their exit codes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { main as crds } from '../../commands/crds';
import { main as runImport } from '../../commands/import';
import { lockSources, renderLock } from '../../lib/imports/lock';
import { mirrorReader, parseSourceList, readSources } from '../../lib/imports/sources';
import { TemporaryProject, UPSTREAM } from './project';

let output: string;
let errors: string;
let project: TemporaryProject;
const home = process.cwd();

beforeEach(async () => {
  output = '';
  errors = '';
  jest.spyOn(console, 'log').mockImplementation((text) => {
    output += text;
  });
  jest.spyOn(console, 'error').mockImplementation((text) => {
    errors += text;
  });
  project = new TemporaryProject();
  const entries = parseSourceList(JSON.stringify({ imports: Object.keys(UPSTREAM) }));
  const sources = lockSources(await readSources(entries, mirrorReader(project.mirror)), undefined, String);
  project.write('imports/lock.json', renderLock({ command: 'none', sources, files: {} }));
  process.chdir(project.root);
});
afterEach(() => {
  process.chdir(home);
  project.remove();
  jest.restoreAllMocks();
});

describe.each([
  ['import', runImport],
  ['crds', crds],
])('%s', (name, main) => {
  test('--help exits with 0', async () => {
    expect(await main(['--help'])).toBe(0);
  });

  test('--help explains how a mirror must look', async () => {
    await main(['--help']);
    expect(output).toMatch(new RegExp(`npm run ${name} -- [^]*Three columns are read`));
  });

  test('an unknown option exits with 2', async () => {
    expect(await main(['--miror', 'x'])).toBe(2);
  });

  test('an unknown option is named', async () => {
    await main(['--miror', 'x']);
    expect(errors).toContain("Unknown option '--miror'");
  });

  test('a mirror without its table is said, and exits with 1', async () => {
    expect([await main([...(name === 'crds' ? ['out'] : []), '--mirror', 'nowhere']), errors]).toEqual([
      1,
      expect.stringContaining(`${join('nowhere', 'sources.tsv')} does not exist`),
    ]);
  });
});

test('import --json gives the problems as a list', async () => {
  await runImport(['--mirror', 'mirror', '--json']);
  expect(JSON.parse(output)).toMatchObject({
    ok: false,
    problems: expect.arrayContaining([expect.stringContaining('Fleet of agones.dev/v1')]),
  });
});

test('a failed import writes nothing', async () => {
  await runImport(['--mirror', 'mirror']);
  expect(existsSync('imports/schemas')).toBe(false);
});

test('crds --json gives the files that it wrote', async () => {
  await crds(['out', '--mirror', 'mirror', '--json']);
  expect(JSON.parse(output)).toMatchObject({ ok: true, files: expect.arrayContaining(['barns.farm.example.yaml']) });
});

test('crds exits with 0 when the files are written', async () => {
  expect(await crds(['out', '--mirror', 'mirror'])).toBe(0);
});

test('crds without a folder exits with 2', async () => {
  expect(await crds([])).toBe(2);
});
