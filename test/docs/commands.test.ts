/** The commands that pages tell people to run: each option of an `npm run …` exists, for the command that is named, and so does the mode that comes first. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { questions } from '../../lib/init/questions';
import { scripts } from '../../package.json';

/** Folders with pages of ours. */
const PAGES = ['README.md', 'CONTRIBUTING.md', ...pagesIn('docs')];

interface Named {
  readonly page: string;
  readonly script: string;
  /** What follows `--`, word by word. */
  readonly words: readonly string[];
}

/** Commands of the project's own (commands/*.ts), with their options. */
const named = PAGES.flatMap((page) => commandsIn(page)).filter(({ script }) => sourceOf(script) !== undefined);

test('pages name commands of ours with options', () => {
  expect(named.filter(({ words }) => words.some((word) => word.startsWith('--'))).length).toBeGreaterThan(20);
});

test('every option that a page gives to a command of ours exists', () => {
  const unknown = named.flatMap(({ page, script, words }) => {
    const options = optionsOf(script);
    return words
      .filter((word) => word.startsWith('--'))
      .map((word) => word.slice(2).replace(/=.*$/, ''))
      .filter((option) => !options.has(option))
      .map((option) => `${page}: npm run ${script} has no --${option}`);
  });
  expect([...new Set(unknown)]).toEqual([]);
});

test('every mode that a page names first is in the help of the command', () => {
  const modes = named.filter(({ script, words }) => ['restore', 'maintenance'].includes(script) && /^[a-z]+$/.test(words[0] ?? ''));
  const unknown = modes.filter(({ script, words }) => !helpOf(script).includes(`npm run ${script} -- ${words[0]}`));
  expect([modes.length > 5, unknown]).toEqual([true, []]);
});

test('every option of the doctor, the restores and the maintenance is in their help', () => {
  const missing = ['doctor', 'restore', 'maintenance'].flatMap((script) =>
    [...optionsOf(script)].filter((option) => !helpOf(script).includes(`--${option}`)).map((option) => `${script} --${option}`),
  );
  expect(missing).toEqual([]);
});

test('every folder and variable that a Terraform command of a page names exists', () => {
  const commands = PAGES.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/terraform -chdir=(\S+)([^\n`#]*)/g)].map(([, folder = '', rest = '']) => ({
      page,
      folder,
      rest,
    })),
  );
  const unknown = commands
    // `terraform/clusters/<cluster>` and `terraform/clusters/NAME` stand for any.
    .filter(({ folder }) => !/[<*]|[A-Z]/.test(folder))
    .flatMap(({ page, folder, rest }) => {
      if (!existsSync(path.join(folder, 'variables.tf'))) return [`${page}: ${folder} is no root of Terraform`];
      const variables = readFileSync(path.join(folder, 'variables.tf'), 'utf8');
      return [...rest.matchAll(/-var ([a-z_]+)=/g)].flatMap(([, name = '']) =>
        variables.includes(`variable "${name}"`) ? [] : [`${page}: ${folder} has no variable ${name}`],
      );
    });
  expect([commands.length > 0, unknown]).toEqual([true, []]);
});

function pagesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const below = path.join(folder, entry.name);
    if (entry.isDirectory()) return pagesIn(below);
    return entry.name.endsWith('.md') ? [below] : [];
  });
}

/** Up to what ends a command in a page: a comment, a back-tick, another command, two spaces or the line. Lines that end with a backslash go on. */
function commandsIn(page: string): Named[] {
  const text = readFileSync(page, 'utf8').replace(/\\\n\s*/g, ' ');
  return [...text.matchAll(/npm run (?:--silent )?([a-z][a-z:-]*[a-z])(?: -- ([^\n`#|;&]*))?/g)].map(([, script = '', rest = '']) => ({
    page,
    script,
    words: (rest.split(/ {2,}/)[0] ?? '').split(/\s+/).filter((word) => word !== ''),
  }));
}

/** The file of a command that commands/run.mjs starts; undefined for other scripts. */
function sourceOf(script: string): string | undefined {
  const name = /^node commands\/run\.mjs ([a-z-]+)$/.exec((scripts as Record<string, string>)[script] ?? '')?.[1];
  return name === undefined ? undefined : readFileSync(`commands/${name}.ts`, 'utf8');
}

/** Options as they are given to Node's parser. */
function optionsOf(script: string): Set<string> {
  const source = sourceOf(script) ?? '';
  return new Set([
    // Its questions are options too.
    ...(script === 'init' ? questions.map(({ id }) => id) : []),
    'help',
    ...[...source.matchAll(/'?\b([a-z][a-z-]*)'?: \{ type: '(?:string|boolean)'/g)].map(([, option = '']) => option),
  ]);
}

function helpOf(script: string): string {
  return /const HELP = `([^`]*)`/.exec(sourceOf(script) ?? '')?.[1] ?? '';
}
