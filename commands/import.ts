/**
 * `npm run import`: parses its options and prints what lib/imports/generate.ts did; nothing else.
 */
import { compareImports, generateImports, writeImports } from '../lib/imports/generate';
import { IMPORTS_FOLDER } from '../lib/imports/lock';
import { ImportError, MIRROR_FORMAT, mirrorReader, networkReader } from '../lib/imports/sources';
import { readOptions, runCommand } from './options';

const HELP = `Usage: npm run import -- [--mirror DIR] [--check] [--json]

Regenerates ${IMPORTS_FOLDER}/ (bindings, validation schemas and lock.json) from the addresses that cdk8s.yaml lists
and the kinds of lib/imports/kinds.ts. The same sources give the same bytes.

  --mirror DIR  take upstream's files from DIR instead of the network
  --check       write nothing; regenerate and name each file of ${IMPORTS_FOLDER}/ that differs
  --json        print the result as JSON: { "ok": boolean, "differences": [{ "path", "change" }], "problems": [string] }
  --help        print this

Exit code: 0 when done (with --check: when nothing differs), 1 when not, 2 for a wrong option.

${MIRROR_FORMAT}
`;

export const main = (args: readonly string[]): Promise<number> =>
  runCommand(() => {
    const parsed = readOptions(args, HELP, { mirror: { type: 'string' }, check: { type: 'boolean' }, json: { type: 'boolean' } });
    return parsed ? run(parsed.values) : 0;
  });

/** @returns the exit code. */
async function run(options: { readonly mirror?: string; readonly check?: boolean; readonly json?: boolean }): Promise<number> {
  const projectRoot = process.cwd();
  try {
    const reader = options.mirror === undefined ? networkReader : mirrorReader(options.mirror);
    const generated = await generateImports({ projectRoot, reader });
    const differences = options.check ? compareImports(projectRoot, generated) : writeImports(projectRoot, generated);
    const ok = !options.check || differences.length === 0;
    if (options.json) console.log(JSON.stringify({ ok, differences, problems: [] }));
    else if (options.check) {
      for (const { path, change } of differences) console.error(`${IMPORTS_FOLDER}/${path} ${DIFFERS[change]}.`);
      console.log(
        ok
          ? `${IMPORTS_FOLDER}/ is byte for byte what its sources give (${generated.size} files).`
          : `${differences.length} of ${generated.size} files differ; run \`npm run import\`.`,
      );
    } else {
      for (const { path, change } of differences) console.log(`${change} ${IMPORTS_FOLDER}/${path}`);
      console.log(`${generated.size} files in ${IMPORTS_FOLDER}/, ${differences.length} of them changed.`);
    }
    return ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    if (options.json) console.log(JSON.stringify({ ok: false, differences: [], problems: error.problems }));
    else console.error(error.message);
    return 1;
  }
}

const DIFFERS = {
  added: 'is missing',
  changed: 'is not what the sources give',
  removed: 'is not generated from any source',
} as const;
