/** docs/decisions/0013-libraries.md has a line, and so a reason, for every package that the project depends on. */
import { readFileSync } from 'node:fs';
import { dependencies, devDependencies } from '../../package.json';
import * as tokens from '../../packages/netcode-token/package.json';
import * as broker from '../../services/connect-broker/package.json';

const PAGE = 'docs/decisions/0013-libraries.md';
const rows = [...readFileSync(PAGE, 'utf8').matchAll(/^\| ([^|]+) \|.*\|$/gm)].map(([, packages = '']) => packages);
const named = rows.filter((packages) => packages !== 'package' && !packages.startsWith('---')).flatMap((packages) => packages.split(', '));
/** Types of a package that has its own line, or of Node. */
const every = { ...dependencies, ...devDependencies, ...tokens.dependencies, ...broker.dependencies, ...broker.devDependencies };
const packages = Object.keys(every).filter((name) => !name.startsWith('@types/'));

test('every package has a line, and no line is of a package that is gone', () => {
  const shortNames = packages.map((name) => (name === '@biomejs/biome' ? 'biome' : name));
  expect([...new Set(named)].sort()).toEqual(shortNames.sort());
});

test('every package is pinned to one version', () => {
  const loose = Object.entries(every).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  expect(loose).toEqual([]);
});
