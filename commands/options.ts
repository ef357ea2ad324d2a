/**
 * Reads a command's options with Node's own parser and answers `--help`.
 * It deliberately holds no option of any command.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Wrong usage: exit code 2 and one line, no stack. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * Parses strictly; every command has `--help`.
 * Returns undefined when help was asked for and printed.
 */
export function readOptions<T extends Options>(args: readonly string[], help: string, options: T, allowPositionals = false) {
  try {
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } } as T & { help: { type: 'boolean' } },
      strict: true,
      allowPositionals,
    });
    if ((parsed.values as { help?: boolean }).help) {
      console.log(help.trim());
      return undefined;
    }
    return parsed;
  } catch (error) {
    // Node adds how to pass a file whose name begins with a dash, which is not what somebody means who mistyped an option.
    const [what = ''] = (error as Error).message.split('. To specify ');
    throw new UsageError(`${what.replace(/\.$/, '')}. See --help.`);
  }
}

/** Runs a command's body: known errors become one message and exit code 1 (or 2 for wrong usage); a program's own mistake keeps its stack. */
export async function runCommand(body: () => number | Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(error.message);
      return 2;
    }
    if ((error as Error).name === 'SynthesisError') {
      console.error((error as Error).message);
      return 1;
    }
    throw error;
  }
}
