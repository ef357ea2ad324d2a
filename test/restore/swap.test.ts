/**
 * The script that exchanges a world's volumes, with a kubectl that is a small file of ours: what it does when it is interrupted, and what others could do meanwhile.
 * It deliberately proves nothing of Kubernetes: test/cluster/restore.cluster.ts does, with real controllers.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WORLD_FILES } from '../../lib/restore/world';
import { planFor } from './fixtures';

/**
 * A cluster in a file: claims by name with their volume, volumes by name with mark, policy and claim. It dies where the variable DIE_AT says, once, as a shell does
 * whose terminal is lost.
 */
const KUBECTL = `#!/usr/bin/env node
const { readFileSync, writeFileSync, existsSync, unlinkSync } = require('node:fs');
const file = process.env.CLUSTER;
const { claims, volumes } = JSON.parse(readFileSync(file, 'utf8'));
const args = process.argv.slice(2).filter((each, index, all) => each !== '-n' && all[index - 1] !== '-n');
const save = () => writeFileSync(file, JSON.stringify({ claims, volumes }));
const text = args.join(' ');
if (existsSync(file + '.die') && text.includes(readFileSync(file + '.die', 'utf8'))) {
  unlinkSync(file + '.die');
  process.kill(0, 'SIGKILL');
}
const names = args.slice(2).filter((each) => /^(new|old|volume|world|eldermoor)/.test(each));
if (text.startsWith('get statefulset')) console.log('0');
else if (text.startsWith('get pod ')) process.exit(1);
else if (text.startsWith('get pv -l')) {
  const [mark, value] = args[3].split('=');
  console.log(Object.keys(volumes).filter((name) => volumes[name].labels[mark] === value).join(' '));
} else if (text.startsWith('get pvc')) {
  if (!(args[2] in claims)) process.exit(text.includes('--ignore-not-found') ? 0 : 1);
  console.log(claims[args[2]]);
} else if (text.startsWith('get pv ')) console.log(volumes[args[2]].policy);
else if (text.startsWith('label pv')) {
  for (const name of args.slice(2).filter((each) => each in volumes))
    for (const label of args.filter((each) => each.startsWith('mmo/')))
      if (label.endsWith('-')) delete volumes[name].labels[label.slice(0, -1)];
      else volumes[name].labels[label.split('=')[0]] = label.split('=')[1];
  save();
} else if (text.startsWith('patch pv')) {
  const { spec } = JSON.parse(args[args.indexOf('-p') + 1]);
  for (const name of args.slice(2).filter((each) => each in volumes)) {
    if (spec.persistentVolumeReclaimPolicy) volumes[name].policy = spec.persistentVolumeReclaimPolicy;
    if ('claimRef' in spec) volumes[name].claim = spec.claimRef && spec.claimRef.name;
  }
  save();
} else if (text.startsWith('delete pvc')) {
  for (const name of args.slice(2)) delete claims[name];
  save();
} else if (text.startsWith('apply')) {
  for (const part of readFileSync(0, 'utf8').split('---')) {
    const name = /^  name: (.+)$/m.exec(part)[1];
    claims[name] = /volumeName: (.+)/.exec(part)[1];
    volumes[claims[name]].claim = name;
  }
  save();
} else if (!text.startsWith('wait')) throw new Error(text);
`;

const CLAIM = 'world-eldermoor-0';
const [RESTORED, KEPT] = ['eldermoor-202606011234', 'eldermoor-before-202606011234'];

let folder: string;
const cluster = () => JSON.parse(readFileSync(path.join(folder, 'cluster'), 'utf8'));
/** Runs the script. @param dieAt kill its shell when it calls kubectl so */
const swap = (claim: string, dieAt?: string) => {
  if (dieAt) writeFileSync(path.join(folder, 'cluster.die'), dieAt);
  const options = {
    encoding: 'utf8' as const,
    // A process group of its own, which the kill ends.
    detached: true,
    env: { ...process.env, CLUSTER: path.join(folder, 'cluster'), PATH: `${folder}:${process.env.PATH}` },
  };
  return spawnSync('sh', [path.join(folder, WORLD_FILES.swap), claim], options);
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'swap-'));
  for (const [name, text] of planFor('aurora/eldermoor').files) writeFileSync(path.join(folder, name), text);
  writeFileSync(path.join(folder, 'kubectl'), KUBECTL);
  chmodSync(path.join(folder, 'kubectl'), 0o755);
  const volume = (claim: string) => ({ claim, policy: 'Delete', labels: {} });
  writeFileSync(
    path.join(folder, 'cluster'),
    JSON.stringify({
      claims: { [CLAIM]: 'volume-a', [RESTORED]: 'volume-b' },
      volumes: { 'volume-a': volume(CLAIM), 'volume-b': volume(RESTORED) },
    }),
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const EXCHANGED = {
  claims: { [CLAIM]: 'volume-b', [KEPT]: 'volume-a' },
  volumes: {
    'volume-a': { claim: KEPT, policy: 'Retain', labels: {} },
    'volume-b': { claim: CLAIM, policy: 'Retain', labels: {} },
  },
};

test('exchanges the volumes', () => {
  expect(swap(RESTORED)).toMatchObject({ status: 0, stderr: '' });
  expect(cluster()).toEqual(EXCHANGED);
});

test.each(['delete pvc', 'claimRef', 'apply', 'label pv volume-b volume-a'])(
  'killed at "%s", it is finished by the same command',
  (step) => {
    expect(swap(RESTORED, step).signal).toBe('SIGKILL');
    expect(swap(RESTORED)).toMatchObject({ status: 0 });
    expect(cluster()).toEqual(EXCHANGED);
  },
);

test('promises each volume to its claim by name while neither claim is there', () => {
  swap(RESTORED, 'apply');
  const { claims, volumes } = cluster();
  expect([claims, volumes['volume-a'].claim, volumes['volume-b'].claim]).toEqual([{}, KEPT, CLAIM]);
});

test('is undone by the same script', () => {
  swap(RESTORED);
  swap(KEPT);
  expect(cluster().claims).toEqual({ [CLAIM]: 'volume-a', [KEPT]: 'volume-b' });
});

test('does not go back before an exchange that was interrupted is finished', () => {
  swap(RESTORED, 'label pv volume-b volume-a');
  expect(swap(KEPT)).toMatchObject({ status: 1, stderr: expect.stringContaining('was interrupted') });
});
