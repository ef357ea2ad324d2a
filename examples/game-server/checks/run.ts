/**
 * `npm run example`: the example's server and client with the laptop's broker, over UDP on loopback.
 * It deliberately is no part of `npm test`, because it needs cargo. One line a check; the last line is the sum.
 */
import { spawnSync } from 'node:child_process';
import { Leftovers } from '../../../packages/netcode-token/interop/processes';
import { build, Laptop } from './programs';
import { badDays, day, type Stage } from './world';

export interface ExampleOptions {
  /** Fail where cargo or protoc are missing, in place of a line that says so. @default false */
  readonly required?: boolean;
}

/** @returns the exit code */
export async function runExample({ required = false }: ExampleOptions): Promise<number> {
  const missing = missingPrograms();
  if (missing.length > 0) {
    console.log(`${required ? 'FAILED' : 'skipped'}: the example needs ${missing.join(' and ')}`);
    return required ? 1 : 0;
  }
  const leftovers = new Leftovers();
  let passed = 0;
  let failed = 0;
  const check: Stage['check'] = async (name, prove) => {
    if (leftovers.interrupted) return;
    try {
      await prove();
      passed += 1;
      console.log(`ok: ${name}`);
    } catch (error) {
      if (leftovers.interrupted) return;
      failed += 1;
      console.log(`FAILED: ${name}\n    ${error instanceof Error ? error.message : error}`);
    }
  };
  await check('the broker, the servers and the clients run and end', async () => {
    try {
      const [laptop] = await Promise.all([Laptop.start(leftovers), build(leftovers)]);
      const stage: Stage = { leftovers, laptop, check };
      await day(stage);
      await badDays(stage);
    } finally {
      await leftovers.clean();
    }
  });
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** What building the example needs beside Node. */
export function missingPrograms(): string[] {
  const needed = [
    ['cargo', 'Rust (https://rustup.rs)'],
    ['protoc', 'protoc (Debian: protobuf-compiler and libprotobuf-dev)'],
  ] as const;
  return needed.filter(([program]) => spawnSync(program, ['--version']).status !== 0).map(([, name]) => name);
}
