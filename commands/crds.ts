/*
 * `npm run crds`: parses its options and prints what lib/imports/definition-files.ts did; nothing else.
 */
import { parseArgs } from 'node:util';
import { writeDefinitions } from '../lib/imports/definition-files';
import { ImportError, MIRROR_FORMAT, mirrorReader, networkReader } from '../lib/imports/sources';

const HELP = `Usage: npm run crds -- DIR [--mirror DIR2] [--json]

Writes upstream's CustomResourceDefinitions to DIR, one whole definition a file (<plural>.<group>.yaml), for an API
server to test against. Every file must have the hash that imports/lock.json has; DIR is replaced as a whole.

  --mirror DIR2  take upstream's files from DIR2 instead of the network
  --json         print the result as JSON: { "ok": boolean, "files": [string], "problems": [string] }
  --help         print this

Exit code: 0 when done, 1 when not, 2 for a wrong option.

${MIRROR_FORMAT}
`;

/** @returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let options: { mirror?: string; json?: boolean; help?: boolean };
  let folders: string[];
  try {
    const parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { mirror: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
    });
    options = parsed.values;
    folders = parsed.positionals;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const [folder] = folders;
  if (folder === undefined || folders.length > 1) {
    console.error(`Exactly one DIR is expected, but there are ${folders.length}.\n\n${HELP}`);
    return 2;
  }
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
