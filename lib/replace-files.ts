/**
 * Replaces single files so that none is ever half written: all texts are written beside their places first, then each takes its place at once.
 * It deliberately removes nothing; whole trees are lib/emit/writer.ts's part.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Writes texts to files, whose folders it makes. A failure before the first takes its place (a full disk) leaves all as they were. */
export function replaceFiles(files: readonly (readonly [file: string, text: string])[]): void {
  const temporary: string[] = [];
  try {
    for (const [file, text] of files) {
      mkdirSync(path.dirname(file), { recursive: true });
      const beside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
      temporary.push(beside);
      writeFileSync(beside, text, { flush: true });
    }
    files.forEach(([file], index) => {
      renameSync(temporary[index] as string, file);
    });
  } finally {
    for (const file of temporary) rmSync(file, { force: true });
  }
}
