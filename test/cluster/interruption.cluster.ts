/**
 * The claim that nothing is left behind: the process that started a control plane is killed without a chance to clean up, and its servers and data go.
 * It deliberately uses SIGKILL, which no handler sees; an interrupt from the terminal is kinder than that.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { eventually } from './judge';

/** Starts a control plane, says what there is to look for, and waits to be killed. */
const PROGRAM = `
  import { findBinaries } from './test/cluster/binaries';
  import { startControlPlane } from './test/cluster/control-plane';
  // Without the controllers: all servers are started by the same few lines.
  startControlPlane({ binaries: { ...findBinaries()[0], controllers: false } }).then(({ pids, address }) => {
    console.log(JSON.stringify({ pids, folder: address.folder }));
    setInterval(() => undefined, 1000);
  });
`;

test('a killed test run leaves neither a process nor a file behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'interruption-'));
  try {
    const program = join(folder, 'program.js');
    buildSync({
      stdin: { contents: PROGRAM, resolveDir: process.cwd(), loader: 'ts' },
      bundle: true,
      platform: 'node',
      outfile: program,
      logLevel: 'error',
    });
    const run = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const started = await firstLine(run);
    const alive = (): number[] => started.pids.filter(isAlive);
    expect(started.pids.length).toBeGreaterThan(1);
    expect(alive()).toEqual(started.pids);

    run.kill('SIGKILL');
    const left = await eventually(
      async () => ({ alive: alive(), folder: existsSync(started.folder) }),
      (found) => found.alive.length === 0 && !found.folder,
    );
    expect(left).toEqual({ alive: [], folder: false });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function firstLine(run: ChildProcess): Promise<{ pids: number[]; folder: string }> {
  return new Promise((resolve, reject) => {
    let text = '';
    run.stdout?.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(JSON.parse(text));
    });
    run.on('exit', (code, signal) => reject(new Error(`The program ended (${signal ?? code}) before its control plane was ready.`)));
  });
}

/** A process that ended and that nobody has asked about yet is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
