/**
 * Answers for values that only a person has, out of a YAML map by identity. Each is the name of a file or of an environment variable, or the value itself where
 * the caller allows that. All are read and judged together; messages name identities and never quote a value. It deliberately seals nothing.
 */
import { readFileSync } from 'node:fs';
import { endWithMeant } from '../model/issues';
import { neededValues } from './plan';
import { SecretsError } from './sealing';
import type { SecretSpec } from './spec';
import { acceptValue, describeSource } from './values';

export interface AnswerOptions {
  /** How messages name the answers. */
  readonly place: string;
  readonly needed: readonly SecretSpec[];
  /** Identities whose answers are read; the others are only known to be needed. @default all */
  readonly wanted?: ReadonlySet<string>;
  /** An environment variable. */
  readonly variable: (name: string) => string | undefined;
  /** Whether the value itself may stand there. @default false: files with values end up where they should not */
  readonly plain?: boolean;
}

/**
 * @param answers what the YAML holds
 * @returns values by identity, in the form in which they are sealed
 * @throws SecretsError with every mistake
 */
export function readAnswers(
  answers: unknown,
  { place, needed, wanted, variable, plain = false }: AnswerOptions,
): ReadonlyMap<string, Buffer> {
  const forms = `${plain ? "'identity: value', " : ''}'identity: { file: PATH }' or 'identity: { env: NAME }'`;
  if (answers === null || typeof answers !== 'object' || Array.isArray(answers)) {
    throw new SecretsError([`${place} must be a YAML map from identity to value, one ${forms} a line.`]);
  }
  const values = neededValues(needed);
  const asked = values.filter((value) => 'ask' in value.source).map((value) => value.identity);
  const problems: string[] = [];
  const read = new Map<string, Buffer>();
  for (const [identity, answer] of Object.entries(answers)) {
    const value = values.find((each) => each.identity === identity);
    if (!value) {
      problems.push(`${place}: the cluster needs no value '${identity}'${endWithMeant(identity, asked, 'those asked for')}`);
      continue;
    }
    if (!('ask' in value.source)) {
      problems.push(
        `${place}: '${identity}' is ${describeSource(value.source)}, not asked for; to give it yourself, seal it alone with --from-file.`,
      );
      continue;
    }
    if (wanted?.has(identity) === false) continue;
    const given = textOf(answer, `${place}: the value of '${identity}'`, variable, plain ? forms : undefined);
    if (typeof given === 'string') {
      problems.push(given);
      continue;
    }
    try {
      read.set(identity, acceptValue(value, given));
    } catch (error) {
      if (!(error instanceof SecretsError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new SecretsError(problems);
  return read;
}

/** The value's bytes, or a sentence about what is wrong. */
function textOf(answer: unknown, what: string, variable: AnswerOptions['variable'], plainForms: string | undefined): Buffer | string {
  if (typeof answer === 'string') {
    if (plainForms === undefined)
      return `${what} must not stand in the file itself, which may be committed or copied: name a file, '{ file: PATH }', or an environment variable, '{ env: NAME }'.`;
    return answer === '' ? `${what} must be text that is not empty; put numbers and the like in quotes.` : Buffer.from(answer);
  }
  const { file, env, ...others } = (answer !== null && typeof answer === 'object' ? answer : { others: true }) as Readonly<
    Record<string, unknown>
  >;
  const [source, name] = file === undefined ? ['env', env] : ['file', file];
  if (Object.keys(others).length > 0 || typeof name !== 'string' || (file !== undefined && env !== undefined)) {
    return plainForms === undefined
      ? `${what} must be '{ file: PATH }' or '{ env: NAME }'.`
      : `${what} must be text that is not empty; put numbers and the like in quotes.`;
  }
  if (source === 'env') {
    const text = variable(name);
    return text === undefined || text === ''
      ? `${what} is to come from the environment variable ${name}, which is not set.`
      : Buffer.from(text);
  }
  try {
    return readFileSync(name);
  } catch (error) {
    return `${what} is to come from the file ${name}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`;
  }
}
