/**
 * The files of a folder as Git has committed them: what Argo CD runs, while the folder may already be further on.
 * It deliberately reads only the files that are asked for, and is silent where there is no Git or no commit yet: then the folder itself is all there is.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Texts by path relative to the folder, of the committed files whose path matches. Empty without Git. Costs two processes (some 10 ms). */
export function committedFiles(directory: string, wanted: (path: string) => boolean): Map<string, string> {
  // From the folder above: this one may have been deleted, which must not make its worlds forgotten.
  const { dir: parent, base } = path.parse(path.resolve(directory));
  const git = (args: readonly string[], input?: string): string =>
    execFileSync('git', args, { cwd: parent, input, encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    const paths = git(['ls-tree', '-r', '-z', '--name-only', 'HEAD', `./${base}`])
      .split('\0')
      .filter((file) => file.startsWith(`${base}/`))
      .map((file) => file.slice(base.length + 1))
      .filter(wanted);
    if (paths.length === 0) return new Map();
    const texts = git(['cat-file', '--batch=%(objectsize)'], paths.map((file) => `HEAD:./${base}/${file}\n`).join(''));
    return new Map(splitBatch(texts).map((text, index) => [paths[index] ?? '', text]));
  } catch {
    return new Map();
  }
}

/** `git cat-file --batch`: a line with the size in bytes, then the text and a line feed, for each object. */
function splitBatch(output: string): string[] {
  const bytes = Buffer.from(output, 'utf8');
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    const size = Number(bytes.subarray(at, end).toString());
    texts.push(bytes.subarray(end + 1, end + 1 + size).toString());
    at = end + 1 + size + 1;
  }
  return texts;
}
