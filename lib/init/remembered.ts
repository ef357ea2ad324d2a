/**
 * What a person answered to `npm run init`, noted after each answer, so that a run after an interruption proposes it again. Git ignores the file.
 * It deliberately holds no value of a secret, and no answer that was the proposal anyway: that one follows from the others.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { replaceFiles } from '../replace-files';
import { readYaml } from '../secrets/answers-file';
import { SecretsError } from '../secrets/sealing';
import { answersOfFile } from './answers-file';
import type { Answers } from './questions';

/** The notes, from the project's root. */
export const REMEMBERED_FILE = '.cache/init-answers.yaml';

/** Notes of earlier answers. */
export interface Memory {
  readonly remembered: Answers;
  readonly remember: (answers: Answers) => void;
}

/** @param root the project's root */
export function memoryOf(root: string): Memory {
  const file = path.join(root, REMEMBERED_FILE);
  return { remembered: read(file), remember: (answers) => replaceFiles([[file, stringify(answers)]]) };
}

/** Notes that cannot be read, of an older version say, are no reason to stop: everything is asked anyway. */
function read(file: string): Answers {
  if (!existsSync(file)) return {};
  try {
    return answersOfFile(readYaml(file), REMEMBERED_FILE).answers;
  } catch (error) {
    if (error instanceof SecretsError) return {};
    throw error;
  }
}
