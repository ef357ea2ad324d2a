/**
 * `npm run example`: the example's server and client with the laptop's broker, over UDP on loopback.
 * It deliberately is no part of `npm test`, because it needs cargo. One line a check; the last line is the sum.
 */
import { parseArgs } from 'node:util';
import { Leftovers } from '../../../packages/netcode-token/interop/processes.ts';
import { instances } from './instance.ts';
import { build, Laptop, missingPrograms } from './programs.ts';
import { badDays, day, type Stage } from './world.ts';

const HELP = `
npm run example

Builds examples/game-server and proves, with the laptop's broker and over UDP on loopback, that it keeps docs/game-server.md: players enter, are warned, lose no
packet in a drain, and find world and things again after restarts and kills. Needs Rust and protoc; EXAMPLE_REQUIRED=1 makes it fail where one is missing.
`;

/** Fail where cargo or protoc are missing, in place of a line that says so. */
const REQUIRED = process.env.EXAMPLE_REQUIRED === '1';

/** @returns the exit code */
async function runExample(): Promise<number> {
  const missing = missingPrograms();
  if (missing.length > 0) {
    console.log(`${REQUIRED ? 'FAILED' : 'skipped'}: the example needs ${missing.join(' and ')}`);
    return REQUIRED ? 1 : 0;
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
      await instances(stage);
    } finally {
      await leftovers.clean();
    }
  });
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

const { values: options } = parseArgs({ options: { help: { type: 'boolean' } } });
if (options.help) console.log(HELP.trim());
else process.exitCode = await runExample();
