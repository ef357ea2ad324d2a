/*
 * Ends what the tests started, whatever becomes of the tests: its standard input is a pipe from their process, and the pipe's end is the order.
 * It deliberately handles no signal: it lives in a session of its own, where an interrupt of the terminal does not reach it, and a pipe closes even when its owner is killed.
 *
 * Standard input, one line each: `group <pid>` (a process group to end, later ones first), `folder <path>` (to remove afterwards), `run <pid>` (the process of the
 * whole run: its end is the order too, because a test's own process goes on for minutes when only that one is killed).
 */
const { rmSync } = require('node:fs');
const { createInterface } = require('node:readline');

/** Milliseconds that a process has between SIGTERM and SIGKILL. etcd and the API server need less than one second. */
const PATIENCE = 5000;
const groups = [];
const folders = [];

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [what, ...rest] = line.split(' ');
    if (what === 'group') groups.unshift(Number(rest[0]));
    else if (what === 'folder') folders.push(rest.join(' '));
    else if (what === 'run') follow(Number(rest[0]));
  })
  .on('close', end);

/** Ends when the process does. */
function follow(pid) {
  const asking = setInterval(() => {
    try {
      process.kill(pid, 0);
    } catch {
      clearInterval(asking);
      process.stdin.destroy();
      end();
    }
  }, 1000);
  asking.unref();
}

let ending = false;

async function end() {
  if (ending) return;
  ending = true;
  for (const group of groups) signal(group, 'SIGTERM');
  const deadline = Date.now() + PATIENCE;
  while (groups.some((group) => signal(group, 0)) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const group of groups) signal(group, 'SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** @returns whether the group still has a process. */
function signal(group, name) {
  try {
    process.kill(-group, name);
    return true;
  } catch {
    return false;
  }
}
