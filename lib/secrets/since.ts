/**
 * Since when values are sealed as they are, as Git knows it: the day of the commit that brought the line with the value.
 * It deliberately writes no date into the files, whose text would then depend on the clock; without Git there is no answer.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { SealedFile } from './sealed-file';

/** Day of the commit in UTC, or that there is none yet. */
export type Since = { readonly day: string } | 'not committed';

/** So many processes of Git at once. */
const AT_ONCE = 4;
/** So much of a sealed value tells it from every other: the session key in it is random. */
const TELLING = 60;

/**
 * @param folder of the cluster's secrets
 * @returns by `<namespace>/<name>/<key>`; nothing for what Git does not know
 */
export async function sealedSince(folder: string, files: readonly SealedFile[]): Promise<ReadonlyMap<string, Since>> {
  const found = new Map<string, Since>();
  const waiting = [...files];
  const worker = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      const lines = await blame(path.join(folder, file.namespace, `${file.name}.yaml`));
      for (const [key, value] of Object.entries(file.encryptedData)) {
        const line = lines.find(({ text }) => text.includes(value.slice(0, TELLING)));
        if (line) found.set(`${file.namespace}/${file.name}/${key}`, line.since);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found;
}

/** Every line of a file with its commit's day; nothing where there is no Git, no repository or no such file in it. */
async function blame(file: string): Promise<{ text: string; since: Since }[]> {
  let output: string;
  try {
    const { stdout } = await promisify(execFile)('git', ['blame', '--line-porcelain', '--', path.basename(file)], {
      cwd: path.dirname(file),
      maxBuffer: 1 << 28,
    });
    output = stdout;
  } catch {
    return [];
  }
  const lines: { text: string; since: Since }[] = [];
  let since: Since = 'not committed';
  for (const line of output.split('\n')) {
    const [, seconds] = /^committer-time (\d+)$/.exec(line) ?? [];
    // The commit of lines that are not committed has no digit but zero.
    if (/^0{40} /.test(line)) since = 'not committed';
    else if (/^[0-9a-f]{40,64} \d+ \d+/.test(line)) since = { day: '' };
    else if (seconds !== undefined && since !== 'not committed')
      since = { day: new Date(Number(seconds) * 1000).toISOString().slice(0, 10) };
    else if (line.startsWith('\t')) lines.push({ text: line.slice(1), since });
  }
  return lines;
}
