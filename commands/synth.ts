/** `npm run synth`: writes dist/ from apps/, or nothing at all when anything is wrong. */
import { clusters } from '../apps';
import { synthesizeToDisk } from '../lib/synth-to-disk';
import { TERRAFORM_CLUSTERS } from '../lib/terraform/variables';
import { readOptions, runCommand } from './options';

const HELP = `
npm run synth [-- --release KIND/NAMESPACE/NAME ...] [--orphaned StatefulSet/NAMESPACE/NAME ...] [--json]

Turns the descriptions in apps/ into dist/: plain YAML that Argo CD syncs. Terraform's variables in terraform/clusters/ follow from the same.
Everything is computed and checked in memory first; a mistake changes nothing on disk.

  --release ID  let an object that holds data leave Git (Kind/namespace/name); may be repeated
  --orphaned ID let frozen fields of a StatefulSet change, which you then delete with --cascade=orphan; may be repeated
  --json        print the result for a program
  -h, --help    this text
`;

export const main = (args: readonly string[]): Promise<number> =>
  runCommand(() => {
    const options = readOptions(args, HELP, {
      release: { type: 'string', multiple: true },
      orphaned: { type: 'string', multiple: true },
      json: { type: 'boolean' },
    });
    if (!options) return 0;
    const report = synthesizeToDisk({
      descriptions: clusters,
      directory: 'dist',
      terraformDirectory: TERRAFORM_CLUSTERS,
      released: options.values.release ?? [],
      orphaned: options.values.orphaned ?? [],
    });
    if (options.values.json) console.log(JSON.stringify(report, null, 2));
    else for (const line of report.lines) console.log(line);
    return 0;
  });
