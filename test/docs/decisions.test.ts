/** The pages of docs/decisions have one form, and are numbered without a gap. What they say is for their readers. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const FOLDER = 'docs/decisions';
const pages = readdirSync(FOLDER)
  .sort()
  .map((name) => ({ name, number: Number(name.slice(0, 4)), text: readFileSync(path.join(FOLDER, name), 'utf8') }));

test('their numbers are 1 to the last one, each once', () => {
  expect(pages.map(({ number }) => number)).toEqual(pages.map((_, index) => index + 1));
});

test('each begins with its number and a title', () => {
  expect(pages.filter(({ number, text }) => !text.startsWith(`# ${number}. `)).map(({ name }) => name)).toEqual([]);
});

test.each(['Status: ', '## Context', '## Decision', '## Consequences'])("each has a line '%s'", (line) => {
  expect(pages.filter(({ text }) => !text.includes(`\n${line}`)).map(({ name }) => name)).toEqual([]);
});

test('links to them name their number', () => {
  const folders = ['docs', 'services/connect-broker', 'packages/netcode-token', 'terraform'];
  const texts = ['README.md', 'CONTRIBUTING.md', ...folders.flatMap(markdownIn)].map((file) => ({
    file,
    text: readFileSync(file, 'utf8'),
  }));
  const wrong = texts.flatMap(({ file, text }) =>
    [...text.matchAll(/\[decision (\d+)\]\(\S*?(\d{4})-[^)]*\)/g)]
      .filter(([, said, number]) => said !== String(Number(number)))
      .map(([link]) => `${file}: ${link}`),
  );
  expect(wrong).toEqual([]);
});

function markdownIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const below = path.join(folder, entry.name);
    if (entry.isDirectory())
      return entry.name === 'node_modules' || entry.name === 'target' || entry.name.startsWith('.') ? [] : markdownIn(below);
    return entry.name.endsWith('.md') ? [below] : [];
  });
}
