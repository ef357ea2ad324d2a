/**
 * `npm run bench`: what a synth costs at 1 to 2,000 realms, measured on whole processes: CPU seconds, wall, peak memory, objects, files, bytes.
 * It deliberately is no test: figures depend on the machine, and only ratios of one run may be compared.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readTree } from '../lib/emit/writer';
import { manyRealms } from '../lib/many-realms';
import { memoryStore } from '../lib/secrets/store';
import { synthesizeToDisk } from '../lib/synth-to-disk';
import { readOptions, runCommand } from './options';

const HELP = `
npm run bench [-- --realms 1,10,100,1000,2000] [--runs 3] [--directory DIR] [--json]

Synthesizes clusters of so many realms (one continent each) into a temporary folder, every size in a process of its own,
checks and first write included, and prints the median of the runs. Then the real 'npm run synth' of this repository.
--directory is where the folder is made: in memory (/dev/shm) where there is such a place, because what a disk takes to
create 23,000 files is the kernel's time, differs twentyfold between disks and says nothing about the synth.
`;

interface Row {
  readonly what: string;
  /** User and system together. */
  readonly cpuSeconds: number;
  /** The kernel's part of it: above all, creating files. */
  readonly systemSeconds: number;
  readonly wallSeconds: number;
  readonly peakMegabytes: number;
  readonly objects: number;
  readonly files: number;
  readonly bytes: number;
}

export const main = (args: readonly string[]): Promise<number> =>
  runCommand(() => {
    const options = readOptions(args, HELP, {
      realms: { type: 'string', default: '1,10,100,1000,2000' },
      runs: { type: 'string', default: '3' },
      directory: { type: 'string', default: existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir() },
      json: { type: 'boolean' },
      child: { type: 'string' },
    });
    if (!options) return 0;
    const { realms, runs, json, child, directory } = options.values;
    if (child !== undefined) return measured(Number(child), directory);
    const rows: Row[] = realms.split(',').map((count) => median(Number(runs), () => inProcess(count, directory)));
    rows.push(median(Number(runs), wholeCommand));
    if (json) console.log(JSON.stringify(rows, null, 2));
    else printTable(rows);
    return 0;
  });

/** The child: one synthesis of `count` realms into a temporary folder; prints its own figures as JSON. */
function measured(count: number, parent: string): number {
  const directory = mkdtempSync(path.join(parent, 'bench-'));
  try {
    const target = path.join(directory, 'dist');
    synthesizeToDisk({ descriptions: [manyRealms(count)], directory: target, store: () => memoryStore('everything') });
    const usage = process.resourceUsage();
    const files = [...readTree(target).values()];
    const figures = {
      cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
      systemSeconds: usage.systemCPUTime / 1e6,
      peakMegabytes: usage.maxRSS / 1024,
      objects: files.length,
      files: files.length,
      bytes: files.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    };
    console.log(JSON.stringify(figures));
    return 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function inProcess(count: string, directory: string): Row {
  const started = process.hrtime.bigint();
  const result = spawnSync(
    process.execPath,
    [...process.execArgv, 'commands/run.mjs', 'bench', '--child', count, '--directory', directory],
    {
      encoding: 'utf8',
    },
  );
  if (result.status !== 0) throw new Error(`The bench of ${count} realms failed:\n${result.stderr}`);
  const figures = JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '{}') as Omit<Row, 'what' | 'wallSeconds'>;
  return { what: `${count} realm${count === '1' ? '' : 's'}`, ...figures, wallSeconds: Number(process.hrtime.bigint() - started) / 1e9 };
}

/** `npm run synth` as a user runs it, npm's own start included; dist is fresh, so nothing is written. */
function wholeCommand(): Row {
  const started = process.hrtime.bigint();
  const result = spawnSync('sh', ['-c', 'npm run --silent synth -- --json >/dev/null || exit 1; times'], { encoding: 'utf8' });
  const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (result.status !== 0) throw new Error(`npm run synth failed:\n${result.stderr}`);
  const children = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(result.stdout) ?? [];
  const seconds = (minutes: string | undefined, rest: string | undefined) => Number(minutes) * 60 + Number(rest);
  const files = [...readTree('dist').values()];
  return {
    what: 'npm run synth (homelab and local)',
    cpuSeconds: seconds(children[1], children[2]) + seconds(children[3], children[4]),
    systemSeconds: seconds(children[3], children[4]),
    wallSeconds,
    peakMegabytes: peakOfSynth(),
    objects: files.length,
    files: files.length,
    bytes: files.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
  };
}

/** In a run of its own, because a process that is made to say its peak costs a little more time. */
function peakOfSynth(): number {
  const sayPeak = "process.on('exit',()=>process.stderr.write('\\npeak '+process.resourceUsage().maxRSS+'\\n'))";
  const env = { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(sayPeak)}` };
  const { stderr } = spawnSync(process.execPath, [...process.execArgv, 'commands/run.mjs', 'synth', '--json'], {
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 28,
  });
  const kilobytes = /\npeak (\d+)\n$/.exec(stderr)?.[1];
  if (kilobytes === undefined) throw new Error(`npm run synth did not say its peak memory:\n${stderr}`);
  return Number(kilobytes) / 1024;
}

function median(runs: number, run: () => Row): Row {
  const rows = Array.from({ length: runs }, run).sort((a, b) => a.cpuSeconds - b.cpuSeconds);
  const middle = rows[Math.floor(rows.length / 2)];
  if (!middle) throw new Error('--runs must be at least 1.');
  return middle;
}

function printTable(rows: readonly Row[]): void {
  const cells = rows.map((row) => [
    row.what,
    row.cpuSeconds.toFixed(2),
    row.systemSeconds.toFixed(2),
    row.wallSeconds.toFixed(2),
    row.peakMegabytes.toFixed(0),
    String(row.objects),
    String(row.files),
    String(row.bytes),
  ]);
  const table = [['', 'CPU s', 'of it system', 'wall s', 'peak MB', 'objects', 'files', 'bytes'], ...cells];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of table)
    console.log(
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '),
    );
}
