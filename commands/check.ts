/** `npm run check`: proves without writing that dist and imports are what their sources make, and that every rule holds. */
import { clusters } from '../apps';
import type { TreeChange } from '../lib/emit/writer';
import { verifyImports } from '../lib/imports/lock';
import { SynthesisError } from '../lib/synth';
import { synthesizeToDisk } from '../lib/synth-to-disk';
import { TERRAFORM_CLUSTERS } from '../lib/terraform/variables';
import { readOptions, runCommand } from './options';

const HELP = `
npm run check [-- --json]

Runs every check over every object, and proves that dist/ and Terraform's variables are what apps/ makes and that imports/ is what cdk8s.yaml and imports/lock.json name.
Writes nothing; needs no network. Exit code 1 when anything differs.
`;

export const main = (args: readonly string[]): Promise<number> =>
  runCommand(() => {
    const options = readOptions(args, HELP, { json: { type: 'boolean' } });
    if (!options) return 0;
    const problems: string[] = [];
    try {
      const { change, terraform } = synthesizeToDisk({
        descriptions: clusters,
        directory: 'dist',
        terraformDirectory: TERRAFORM_CLUSTERS,
        dryRun: true,
      });
      problems.push(...staleTree('dist/', change), ...(terraform ? staleTree(`${TERRAFORM_CLUSTERS}/`, terraform) : []));
    } catch (error) {
      if (!(error instanceof SynthesisError)) throw error;
      problems.push(error.message);
    }
    problems.push(...verifyImports());
    if (options.values.json) console.log(JSON.stringify({ ok: problems.length === 0, problems }, null, 2));
    else if (problems.length === 0) console.log("Every check holds; dist, Terraform's variables and imports are fresh.");
    else for (const problem of problems) console.error(problem);
    return problems.length === 0 ? 0 : 1;
  });

function staleTree(folder: string, { added, changed, removed }: TreeChange): string[] {
  const differing = [
    ...added.map((file) => `${file} is missing`),
    ...changed.map((file) => `${file} differs`),
    ...removed.map((file) => `${file} should not be there`),
  ];
  if (differing.length === 0) return [];
  return [`${folder} is not what apps/ makes; run 'npm run synth' and commit:\n${differing.map((line) => `  - ${line}`).join('\n')}`];
}
