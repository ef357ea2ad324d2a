/** `npm run restore` from its options to its files. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { main } from '../../commands/restore';
import type { RunProgram } from '../../lib/programs';
import { description, healthyProject, NOW } from '../doctor/project';

const SNAPSHOTS = { items: [{ spec: { id: 'ab'.repeat(32), date: '2026-05-31T06:40:00Z', paths: ['/data/world-eldermoor-0'] } }] };
const AT = '2026-06-01T00:00:00+00:00';
const kubectl: RunProgram = async () => ({ code: 0, output: JSON.stringify(SNAPSHOTS), errors: '' });
const nobody: RunProgram = async () => ({ code: 1, output: '', errors: 'The connection to the server was refused\n' });

let root: string;
beforeAll(async () => {
  root = (await healthyProject()).root;
});

const run = async (args: readonly string[], program: RunProgram = kubectl, descriptions = [description]) => {
  const output: string[] = [];
  const log = jest.spyOn(console, 'log').mockImplementation((text) => void output.push(String(text)));
  const error = jest.spyOn(console, 'error').mockImplementation((text) => void output.push(String(text)));
  try {
    return { code: await main(args, { root, now: NOW, run: program, descriptions }), output: output.join('\n') };
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
};

test('writes the restore of a world to a folder of its own, and prints the steps', async () => {
  const { code, output } = await run(['world', 'aurora/eldermoor', '--at', AT]);
  expect([code, readdirSync(path.join(root, 'restores/homelab/aurora-eldermoor-202606011200')).sort()]).toEqual([
    0,
    ['README.md', 'claims.yaml', 'restore.yaml', 'swap.sh'],
  ]);
  expect(output).toContain('# Restore the world aurora/eldermoor as it was at 2026-05-31T06:40:00.000Z');
});

test('asks kubectl for snapshots of the realm and changes nothing in the cluster', async () => {
  const asked: (readonly string[])[] = [];
  await run(['world', 'aurora/eldermoor', '--at', AT, '--out', 'restores/asked'], async (program, args) => {
    asked.push(args);
    return kubectl(program, args);
  });
  expect(asked.map((args) => args.slice(1))).toEqual([['get', 'snapshots.k8up.io', '--namespace', 'realm-aurora', '-o', 'json']]);
});

test('writes over nothing', async () => {
  mkdirSync(path.join(root, 'restores/there'), { recursive: true });
  const { code, output } = await run(['world', 'aurora/eldermoor', '--at', AT, '--out', 'restores/there']);
  expect([code, output]).toEqual([
    1,
    'restores/there exists already; it may be a restore that is half done. Remove it, or name another folder with --out.',
  ]);
});

test('takes snapshots from a file where no cluster answers', async () => {
  const file = path.join(root, 'snapshots.json');
  writeFileSync(file, JSON.stringify(SNAPSHOTS));
  const { code, output } = await run(
    ['world', 'aurora/eldermoor', '--at', AT, '--snapshots', file, '--out', 'restores/one', '--json'],
    nobody,
  );
  expect([code, JSON.parse(output).folder, existsSync(path.join(root, 'restores/one/restore.yaml'))]).toEqual([0, 'restores/one', true]);
});

test('says which file of snapshots cannot be read', async () => {
  const { code, output } = await run(['world', 'aurora/eldermoor', '--at', AT, '--snapshots', path.join(root, 'nowhere.json')]);
  expect([code, output]).toEqual([1, `The file ${path.join(root, 'nowhere.json')} cannot be read (ENOENT).`]);
});

test('says what to give when no cluster answers', async () => {
  const { code, output } = await run(['world', 'aurora/eldermoor', '--at', AT, '--out', 'restores/two'], nobody);
  expect([code, output]).toEqual([
    1,
    "The cluster could not be asked for the backups of realm-aurora: The connection to the server was refused. Give them with --snapshots FILE (what 'restic snapshots --json' prints), or one with --snapshot ID.",
  ]);
});

test('writes the recovery of the database', async () => {
  const { code } = await run(['database', '--at', '2026-05-20T18:30:00+02:00']);
  expect([code, readdirSync(path.join(root, 'restores/homelab/database-202606011200')).sort()]).toEqual([
    0,
    ['Cluster.postgres-2.yaml', 'README.md', 'ScheduledBackup.postgres-2.yaml'],
  ]);
});

test('takes the cluster that has backups when another has a world of that name too', async () => {
  const { backups: _none, ...laptop } = { ...description, name: 'laptop' };
  const { output } = await run(['world', 'aurora/eldermoor', '--at', AT, '--out', 'restores/three', '--json'], kubectl, [
    laptop,
    description,
  ]);
  expect(JSON.parse(output).steps.length).toBeGreaterThan(2);
});

test.each<[readonly string[], RegExp]>([
  [[], /^Say what to restore: 'world REALM\/CONTINENT' or 'database'\. See --help\.$/],
  [['world', 'aurora', '--at', AT], /^A world is named REALM\/CONTINENT, such as aurora\/eldermoor, not 'aurora'\.$/],
  [['world', 'aurora/eldermoor'], /^Say which state: --at TIME or --snapshot ID, one of them\.$/],
  [
    ['world', 'aurora/nowhere', '--at', AT],
    /^There is no world 'aurora\/nowhere' in any cluster of apps\/; there are aurora\/eldermoor, .+\.$/,
  ],
  [
    ['world', 'aurora/eldermoor', '--at', 'yesterday'],
    /^--at takes a time with its offset from UTC, such as 2026-03-01T18:30:00\+01:00, not 'yesterday'\.$/,
  ],
  [['world', 'aurora/eldermoor', '--snapshot', 'latest'], /^--snapshot takes restic's id, 8 to 64 hexadecimal digits, not 'latest'\.$/],
  [
    ['database', '--snapshot', 'abcdef12'],
    /^--snapshot and --snapshots are for worlds; a database goes back to a moment, with --at TIME\.$/,
  ],
])('%j is wrong usage', async (args, sentence) => {
  const { code, output } = await run(args);
  expect(code).toBe(2);
  expect(output).toMatch(sentence);
});

test('does not guess between two clusters', async () => {
  const { code, output } = await run(['world', 'aurora/eldermoor', '--at', AT], kubectl, [description, { ...description, name: 'other' }]);
  expect([code, output]).toEqual([2, "Several clusters have a world 'aurora/eldermoor'; say which with --cluster NAME."]);
});
