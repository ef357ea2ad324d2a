/**
 * `npm run crds`: parses its options and prints what lib/imports/definition-files.ts did; nothing else.
 */
import { writeDefinitions } from '../lib/imports/definition-files';
import { ImportError, MIRROR_FORMAT, mirrorReader, networkReader } from '../lib/imports/sources';
import { readOptions, runCommand, UsageError } from './options';

const HELP = `Usage: npm run crds -- DIR [--mirror DIR2] [--json]

Writes upstream's CustomResourceDefinitions to DIR, one whole definition a file (<plural>.<group>.yaml), for an API
server to test against. Every file must have the hash that imports/lock.json has; DIR is replaced as a whole.

  --mirror DIR2  take upstream's files from DIR2 instead of the network
  --json         print the result as JSON: { "ok": boolean, "files": [string], "problems": [string] }
  --help         print this

Exit code: 0 when done, 1 when not, 2 for a wrong option.

${MIRROR_FORMAT}
`;

export const main = (args: readonly string[]): Promise<number> =>
  runCommand(() => {
    const parsed = readOptions(args, HELP, { mirror: { type: 'string' }, json: { type: 'boolean' } }, true);
    if (!parsed) return 0;
    const [folder] = parsed.positionals;
    if (folder === undefined || parsed.positionals.length > 1) {
      throw new UsageError(`Exactly one DIR is expected, but there are ${parsed.positionals.length}. See --help.`);
    }
    return run(folder, parsed.values);
  });

/** @returns the exit code. */
async function run(folder: string, options: { readonly mirror?: string; readonly json?: boolean }): Promise<number> {
  try {
    const reader = options.mirror === undefined ? networkReader : mirrorReader(options.mirror);
    const files = await writeDefinitions(process.cwd(), reader, folder);
    console.log(options.json ? JSON.stringify({ ok: true, files, problems: [] }) : `${files.length} definitions in ${folder}.`);
    return 0;
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    if (options.json) console.log(JSON.stringify({ ok: false, files: [], problems: error.problems }));
    else console.error(error.message);
    return 1;
  }
}
