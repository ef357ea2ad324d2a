/**
 * The repository as Argo CD will read it: the same one, the same branch, and everything of this machine in it.
 * It deliberately fetches nothing: what it says of the remote is as of the last push or fetch.
 */
import { withoutCredentials } from '../git-address';
import { type ClusterGroup, type Finding, failed, ok, some, warning } from './types';

/** The address of the example in apps/, which belongs to nobody. */
const EXAMPLE = /^(https:\/\/|ssh:\/\/git@|git@)github\.com[/:]you\//;

/** What Argo CD and the next person need; other files may be unfinished. */
const WATCHED = ['apps', 'dist', 'secrets', 'terraform', 'versions.ts'];

export const git: ClusterGroup = {
  name: 'git',
  scope: 'cluster',
  look: async (context) => {
    const { run, root, cluster } = context;
    const ask = async (...args: string[]): Promise<string | undefined> => {
      const answer = await run('git', ['-C', root, ...args]);
      return answer?.code === 0 ? answer.output.trimEnd() : undefined;
    };
    if ((await ask('rev-parse', '--is-inside-work-tree')) !== 'true')
      return [failed('repository', 'This folder is no Git repository, and Argo CD reads Git.', 'git init, or clone your fork again')];
    const { repository, revision } = cluster.git;
    return [
      repositoryFinding(repository, (await ask('remote', '-v')) ?? ''),
      await branch(revision, ask),
      await committed(ask),
      await pushed(ask),
    ];
  },
};

type Ask = (...args: string[]) => Promise<string | undefined>;

function repositoryFinding(repository: string, remotes: string): Finding {
  if (EXAMPLE.test(repository))
    return failed(
      'repository',
      `git.repository is the example's (${repository}); Argo CD would find nothing there.`,
      'Write the address of your fork into git.repository.',
    );
  const pushedTo = remotes.split('\n').filter((line) => line.endsWith('(push)'));
  const own = pushedTo.map((line) => withoutCredentials(line.split(/\s+/)[1] ?? ''));
  const hasOrigin = pushedTo.some((line) => line.split(/\s+/)[0] === 'origin');
  if (own.some((address) => normalized(address) === normalized(repository)))
    return ok('repository', `git.repository is a remote of this clone (${repository}).`);
  return warning(
    'repository',
    `git.repository (${repository}) is no remote of this clone${own.length > 0 ? `, which pushes to ${some(own)}` : ', which has none'}: Argo CD would not see what you push.`,
    `git remote ${hasOrigin ? 'set-url' : 'add'} origin ${repository}, or correct git.repository`,
  );
}

/** `host/path`, however the address is written. */
function normalized(address: string): string {
  return address
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/^[^@/]+@/, '')
    .replace(/^([^/:]+):(?!\d+\/)/, '$1/')
    .replace(/\.git\/?$/, '')
    .replace(/\/$/, '')
    .toLowerCase();
}

async function branch(revision: string, ask: Ask): Promise<Finding> {
  const here = (await ask('rev-parse', '--abbrev-ref', 'HEAD')) ?? '';
  return here === revision
    ? ok('branch', `The branch is '${revision}', which Argo CD reads.`)
    : warning(
        'branch',
        `The branch here is '${here}', and Argo CD reads '${revision}'.`,
        `Merge into '${revision}' what the cluster should get.`,
      );
}

async function committed(ask: Ask): Promise<Finding> {
  const changed = ((await ask('status', '--porcelain', '--', ...WATCHED)) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(3));
  return changed.length === 0
    ? ok('committed', `Everything in ${WATCHED.join(', ')} is committed.`)
    : warning(
        'committed',
        `${changed.length} file${changed.length === 1 ? ' is' : 's are'} not committed: ${some(changed)}.`,
        'Review, commit and push them; Argo CD sees nothing else.',
      );
}

async function pushed(ask: Ask): Promise<Finding> {
  const ahead = await ask('rev-list', '--count', '@{upstream}..HEAD');
  if (ahead === undefined)
    return warning('pushed', 'The branch follows no remote branch, so nobody knows what was pushed.', 'git push -u origin HEAD');
  return ahead === '0'
    ? ok('pushed', 'Every commit is pushed, as of the last fetch.')
    : warning('pushed', `${ahead} commit${ahead === '1' ? ' is' : 's are'} not pushed.`, 'git push');
}
