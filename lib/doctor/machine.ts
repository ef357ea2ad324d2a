/**
 * The machine: the programs that the README's commands call, and whether they are new enough.
 * It deliberately asks for nothing that only a developer of this project needs (API servers, Go, a browser).
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Finding, failed, ok, type ProjectContext, type ProjectGroup, warning } from './types';
import { isAtLeast } from './versions';

/** The oldest Terraform and OpenTofu that terraform/ is written for. */
export const OLDEST_TERRAFORM = '1.9';

export const machine: ProjectGroup = {
  name: 'machine',
  scope: 'project',
  look: async (context) => [node(context), ...(await Promise.all([git(context), kubectl(context), terraform(context)]))],
};

function node({ root }: ProjectContext): Finding {
  const { engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { engines: { node: string } };
  const oldest = engines.node.replace(/^\D+/, '');
  const { node: version } = process.versions;
  return isAtLeast(version, oldest)
    ? ok('node', `Node.js ${version} is ${oldest} or newer.`)
    : failed('node', `Node.js ${version} is older than ${oldest}.`, `Install Node.js ${oldest} or newer (.nvmrc names one).`);
}

async function git({ run }: ProjectContext): Promise<Finding> {
  const answer = await run('git', ['--version']);
  return answer === undefined
    ? failed('git', 'git is not installed, and Argo CD reads what was pushed.', 'Install git.')
    : ok('git', `${answer.output.trim()} is installed.`);
}

async function kubectl({ run }: ProjectContext): Promise<Finding> {
  const answer = await run('kubectl', ['version', '--client', '-o', 'json']);
  if (answer === undefined)
    return warning(
      'kubectl',
      'kubectl is not installed; everything that looks at a cluster needs it.',
      'Install kubectl: https://kubernetes.io/docs/tasks/tools/',
    );
  return ok('kubectl', `kubectl ${/"gitVersion": *"([^"]+)"/.exec(answer.output)?.[1] ?? ''} is installed.`);
}

async function terraform({ run }: ProjectContext): Promise<Finding> {
  const found: { program: string; version: string }[] = [];
  for (const program of ['terraform', 'tofu']) {
    const answer = await run(program, ['version', '-json']);
    const version = /"terraform_version": *"([^"]+)"/.exec(answer?.output ?? '')?.[1];
    if (version !== undefined) found.push({ program, version });
  }
  const fit = found.find(({ version }) => isAtLeast(version, OLDEST_TERRAFORM));
  if (fit) return ok('terraform', `${fit.program} ${fit.version} is ${OLDEST_TERRAFORM} or newer.`);
  const have = found.map(({ program, version }) => `${program} ${version}`).join(', ');
  return warning(
    'terraform',
    have === ''
      ? 'Neither Terraform nor OpenTofu is installed; the first installation of a cluster needs one of them.'
      : `${have} is older than ${OLDEST_TERRAFORM}.`,
    `Install Terraform or OpenTofu ${OLDEST_TERRAFORM} or newer.`,
  );
}
