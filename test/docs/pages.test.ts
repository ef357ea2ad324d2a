/** What the pages say exists: files that they link to or name, headings, and npm scripts. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { scripts as rootScripts } from '../../package.json';
import { scripts as tokenScripts } from '../../packages/netcode-token/package.json';
import { scripts as brokerScripts } from '../../services/connect-broker/package.json';

/** Of the repository and of its workspaces (`npm run … -w NAME`). */
const scripts = { ...rootScripts, ...tokenScripts, ...brokerScripts };
/** Folders that hold no page of ours. */
const NOT_OURS = new Set([
  'node_modules',
  'target',
  'build',
  'dist',
  'imports',
  '.git',
  '.cdk8s-out',
  '.cache',
  '.keys',
  '.terraform',
  '.local',
]);
/** npm's own. */
const BUILT_IN = ['test', 'ci', 'install'];

const pages = markdownFiles('.');
const top = readdirSync('.');

/** A mention of something, and where. */
interface Mention {
  readonly page: string;
  readonly what: string;
}

test('there are pages to look at', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/reference/cluster.md']));
});

test('every link between pages leads to a file', () => {
  expect(links().filter(({ page, what }) => !existsSync(resolveLink(page, what)))).toEqual([]);
});

test('every link to a heading leads to one', () => {
  const broken = links().filter(({ page, what }) => {
    const [, heading] = what.split('#');
    const target = resolveLink(page, what);
    return heading !== undefined && target.endsWith('.md') && existsSync(target) && !headings(target).includes(heading);
  });
  expect(broken).toEqual([]);
});

test('every npm script that a page names exists', () => {
  const named = mentions(/npm run (?:--silent )?([a-z][a-z:-]*[a-z])/g);
  expect(named.filter(({ what }) => !(what in scripts) && !BUILT_IN.includes(what))).toEqual([]);
});

test('every path of this repository that a page names in backticks exists', () => {
  const named = mentions(/(?<!`)`([^`\n]+)`(?!`)/g).filter(({ what }) => looksLikePath(what));
  expect(named.filter(({ what }) => !existsSync(beforePlaceholder(what)))).toEqual([]);
});

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const below = path.join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : markdownFiles(below);
    return entry.name.endsWith('.md') ? [below] : [];
  });
}

function mentions(pattern: RegExp): Mention[] {
  return pages.flatMap((page) => [...readFileSync(page, 'utf8').matchAll(pattern)].map(([, what = '']) => ({ page, what })));
}

function links(): Mention[] {
  return mentions(/\]\(([^)\s]+)\)/g).filter(({ what }) => !/^[a-z]+:/.test(what));
}

function resolveLink(page: string, link: string): string {
  const [file = ''] = link.split('#');
  return file === '' ? page : path.join(path.dirname(page), file);
}

/** Headings as links name them: lower case, without punctuation, hyphens for spaces. */
function headings(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

/** `charts/index.ts`, `versions.ts`, `docs/how-to/`; not `apps/v1` (an API), `argocd/argocd-server` (a workload) or `npm run synth`. */
function looksLikePath(text: string): boolean {
  if (/[\s()=,;:'"$]/.test(text)) return false;
  const [first = '', ...rest] = text.split('/');
  if (rest.length === 0) return isTopLevelName(text);
  const last = rest.at(-1) ?? '';
  return top.includes(first) && (last === '' || last.includes('.') || beforePlaceholder(text) !== text);
}

/** A bare file name may be one of any folder, so only those that a reader would look for at the top count. */
function isTopLevelName(name: string): boolean {
  return ['versions.ts', 'package.json', 'renovate.json', 'cdk8s.yaml', 'biome.json', 'jest.config.js', 'tsconfig.json'].includes(name);
}

/** `secrets/<cluster>/sealing.crt` is judged by what comes before the placeholder. */
function beforePlaceholder(text: string): string {
  const placeholder = text.search(/[<*…{]/);
  return placeholder === -1 ? text : path.dirname(`${text.slice(0, placeholder)}x`);
}
