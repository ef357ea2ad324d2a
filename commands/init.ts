/**
 * `npm run init`: a cluster of one's own out of a handful of answers, from prompts, flags or a file.
 * It deliberately holds no question and no step; lib/init/ does.
 */
import { execFileSync } from 'node:child_process';
import { answersOfFile } from '../lib/init/answers-file';
import { type InitEnvironment, init } from '../lib/init/init';
import { type Answers, type QuestionId, questions } from '../lib/init/questions';
import { readYaml } from '../lib/secrets/answers-file';
import { SecretsError } from '../lib/secrets/sealing';
import { readOptions, runCommand } from './options';

const HELP = `
npm run init                                  asks, with a proposal for each answer
npm run init -- --answers FILE [--QUESTION ANSWER …]     asks nobody
npm run init -- --unattended --QUESTION ANSWER …         asks nobody

Writes apps/NAME.ts, makes the sealing key .keys/NAME.key and its certificate, seals every secret that can be generated, and synthesizes.
In place of an example (homelab, local) it replaces description, certificate and values. Run again with the same answers, it changes nothing.

  --answers FILE  a YAML map from question to answer; values that only a person has are below 'secrets',
                  by identity, as { file: PATH } or { env: NAME }, never themselves
  --unattended    take the proposals instead of asking; also when there is no terminal
  -h, --help      this text

Questions, each also a flag; 'none' is the answer for what there is not:

${questions.map(({ id, ask, choices }) => `  --${id.padEnd(20)} ${ask}${choices ? ` (${choices.join(', ')})` : ''}`).join('\n')}

Exit code: 0 when done, 1 when not or when something is still missing, 2 for wrong usage.
`;

const OPTIONS = {
  answers: { type: 'string' },
  unattended: { type: 'boolean' },
  ...(Object.fromEntries(questions.map(({ id }) => [id, { type: 'string' }])) as Record<QuestionId, { readonly type: 'string' }>),
} as const;

/** @returns the exit code. */
export const main = (args: readonly string[], environment?: InitEnvironment): Promise<number> =>
  runCommand(async () => {
    const options = readOptions(args, HELP, OPTIONS);
    if (!options) return 0;
    const {
      answers: file,
      unattended,
      ...flags
    } = options.values as Answers & { readonly answers?: string; readonly unattended?: boolean };
    const world = environment ?? (await projectEnvironment());
    try {
      const fromFile = file === undefined ? undefined : answersOfFile(readYaml(file), file);
      const done = await init(
        {
          given: { ...fromFile?.answers, ...flags },
          ...(fromFile && file !== undefined ? { secrets: { document: fromFile.secrets, place: file } } : {}),
        },
        { ...world, interactive: world.interactive && !unattended && file === undefined },
      );
      return done ? 0 : 1;
    } catch (error) {
      if (!(error instanceof SecretsError) && (error as Error).name !== 'DescriptionError') throw error;
      console.error((error as Error).message);
      return 1;
    }
  });

/** The project itself. Loaded here, because `--help` and tests with their own environment need none of it. */
async function projectEnvironment(): Promise<InitEnvironment> {
  const { clusters } = await import('../apps');
  const { askHidden, askOpenly } = await import('../lib/secrets/terminal');
  return {
    root: '.',
    clusters,
    interactive: process.stdin.isTTY === true,
    ask: askOpenly,
    askHidden,
    say: (line) => console.log(line),
    variable: (name) => process.env[name],
    remote: remoteAddress(),
  };
}

/** Address of the checkout's `origin`. */
function remoteAddress(): string | undefined {
  try {
    return (
      execFileSync('git', ['remote', 'get-url', 'origin'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() || undefined
    );
  } catch {
    return undefined;
  }
}
