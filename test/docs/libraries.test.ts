/** docs/decisions/0013-libraries.md has a line, and so a reason, for every package that the project depends on. */
import { readFileSync } from 'node:fs';
import { dependencies, devDependencies } from '../../package.json';

const PAGE = 'docs/decisions/0013-libraries.md';
const rows = [...readFileSync(PAGE, 'utf8').matchAll(/^\| ([^|]+) \|.*\|$/gm)].map(([, packages = '']) => packages);
const named = rows.slice(2).flatMap((packages) => packages.split(', '));
/** Types of a package that has its own line, or of Node. */
const packages = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !name.startsWith('@types/'));

test('every package has a line, and no line is of a package that is gone', () => {
  const shortNames = packages.map((name) => (name === '@biomejs/biome' ? 'biome' : name));
  expect(named.sort()).toEqual(shortNames.sort());
});

test('every package is pinned to one version', () => {
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  expect(loose).toEqual([]);
});
