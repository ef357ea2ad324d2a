/** `npm run local`: from nothing to the broker's page with a logged-in player, in a kind cluster on this machine. */
import { local } from '../apps/local';
import { run } from '../lib/local/runner';
import { localRun } from '../lib/local/steps';
import { readOptions, runCommand, UsageError } from './options';

const HELP = `
npm run local [-- --print | --down] [--game-image NAME] [--port 8090] [--minutes 30]

Makes the cluster of apps/local.ts in Docker with kind, serves the working tree to Argo CD from a Git inside of the cluster, waits for the connect broker, and
ends at its page with a player who is logged in. Run it again after a change: it synthesizes, pushes, and goes on. Changes nothing but .local/, which Git ignores.
Needs docker, kind, kubectl, helm and git.

  --print            say every step with its commands, and do nothing (also: --dry-run)
  --down             delete the cluster; .local/ with its keys and passwords stays
  --game-image NAME  an image of your game server that Docker has; without one worlds wait for theirs
  --port PORT        the page, on this machine only [8090]
  --minutes MINUTES  how long to wait for Argo CD, and then for the broker [30]
  -h, --help         this text
`;

export const main = (args: readonly string[]): Promise<number> =>
  runCommand(async () => {
    try {
      return await body(args);
    } catch (error) {
      if (!(error instanceof Error) || !KNOWN.has(error.name)) throw error;
      console.error(error.message);
      return 1;
    }
  });

/** What is wrong with the machine, the description or the cluster, said in sentences. */
const KNOWN = new Set(['LocalError', 'CommandError', 'PageError', 'SecretsError', 'DescriptionError', 'SynthesisError']);

async function body(args: readonly string[]): Promise<number> {
  const options = readOptions(args, HELP, {
    print: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    down: { type: 'boolean' },
    'game-image': { type: 'string' },
    port: { type: 'string', default: '8090' },
    minutes: { type: 'string', default: '30' },
  });
  if (!options) return 0;
  const { values } = options;
  const print = values.print === true || values['dry-run'] === true;
  if (values.down === true) {
    if (print) console.log(`kind delete cluster --name ${local.name}`);
    else await run({ program: 'kind', args: ['delete', 'cluster', '--name', local.name], loud: true });
    return 0;
  }
  const { steps, page } = localRun({
    root: process.cwd(),
    description: local,
    gameImage: values['game-image'],
    pagePort: number('--port', values.port, 0, 65_535),
    waitMinutes: number('--minutes', values.minutes, 1, 24 * 60),
    run,
    say: console.log,
  });
  for (const [index, step] of steps.entries()) {
    console.log(`${index + 1}. ${step.title}`);
    if (print) for (const line of step.shows) console.log(`     ${line}`);
    else await step.run();
  }
  if (print) return 0;
  const { url, player } = page();
  console.log(
    `\nThe page, with ${player.name} logged in: ${url}\nPassword in .local/player.json. Ctrl-C ends the page; the cluster stays until: npm run local -- --down`,
  );
  if (values['game-image'] === undefined) console.log('Without --game-image the worlds wait for an image, so nobody can enter yet.');
  // The page's server keeps the process.
  await new Promise(() => undefined);
  return 0;
}

function number(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(`${option} must be a whole number from ${least} to ${most}. See --help.`);
  return value;
}
