/** The lockfile installs everywhere: npm leaves out what its registry could not show when it was made, and `npm ci` then refuses it on every machine. */
import lock from '../package-lock.json';

interface Entry {
  readonly version?: string;
  readonly resolved?: string;
  /** A workspace: `resolved` is its folder. */
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const packages: Readonly<Record<string, Entry>> = lock.packages;
const optional = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
  Object.entries(optionalDependencies).map(([name, version]) => ({ path, name, version })),
);

test.each(optional)('$name of $path is in the lockfile for the platforms that need it', ({ path, name, version }) => {
  const entry = packages[`${path}/node_modules/${name}`] ?? packages[`node_modules/${name}`];
  expect(entry?.version).toMatch(new RegExp(`^${version.replace(/[\^~]/, '').split('.')[0]}\\.`));
});

test('it records no download addresses', () => {
  expect(Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined && !entry.link)).toEqual([]);
});
