/**
 * The project's files: packages as the lock file has them, and descriptions without a mistake.
 * It deliberately does not synthesize; whether dist is fresh is dist.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DescriptionError, resolveCluster } from '../model/cluster';
import { type Finding, failed, ok, type ProjectContext, type ProjectGroup, some } from './types';

export const files: ProjectGroup = {
  name: 'files',
  scope: 'project',
  look: (context) => [packages(context), ...descriptions(context)],
};

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string;
        readonly link?: boolean;
        readonly optional?: boolean;
        readonly devOptional?: boolean;
        readonly peer?: boolean;
      }
    >
  >;
}

/** npm writes what it installed to a lock file of its own. */
function packages({ root }: ProjectContext): Finding {
  const fix = 'npm ci';
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return failed('packages', 'The packages are not installed.', fix);
  const read = (file: string): Lock => JSON.parse(readFileSync(file, 'utf8')) as Lock;
  const [wanted, have] = [read(path.join(root, 'package-lock.json')), read(installed)];
  const differing = Object.entries(wanted.packages).filter(([place, entry]) => {
    if (place === '' || entry.link || !place.startsWith('node_modules/')) return false;
    const version = have.packages[place]?.version;
    // Packages for other machines' processors are in the lock file and not here.
    return version === undefined ? !entry.optional && !entry.devOptional && !entry.peer : version !== entry.version;
  });
  const names = differing.map(([place]) => place.slice('node_modules/'.length));
  return names.length === 0
    ? ok('packages', 'Every package is the one that package-lock.json names.')
    : failed(
        'packages',
        `${names.length} package${names.length === 1 ? ' is not the one' : 's are not those'} that package-lock.json names: ${some(names)}.`,
        fix,
      );
}

function descriptions({ descriptions: all }: ProjectContext): Finding[] {
  if (all.length === 0) return [failed('description', 'apps/index.ts lists no cluster.', 'npm run init')];
  return all.flatMap((description): Finding[] => {
    try {
      const { name } = resolveCluster(description);
      return [ok('description', `apps/${name}.ts has no mistake.`)];
    } catch (error) {
      if (!(error instanceof DescriptionError)) throw error;
      return error.mistakes.map(({ path: field, message }) =>
        failed(
          'description',
          `${error.cluster}: ${field}: ${message.replace(/\.$/, '')}.`,
          `Correct ${field} in apps/${error.cluster}.ts.`,
        ),
      );
    }
  });
}
