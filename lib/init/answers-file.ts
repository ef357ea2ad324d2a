/**
 * Answers from a YAML file and from flags, in the one textual form that prompts have too. Where both say something, the flag does.
 * It deliberately judges only keys and types; what the answers mean is describe.ts's part.
 */
import { endWithMeant } from '../model/issues';
import { SecretsError } from '../secrets/sealing';
import { type Answers, type QuestionId, questions } from './questions';

/** Key of the file for values that only a person has, by identity: each the name of a file or of an environment variable. */
const SECRETS_KEY = 'secrets';

export interface FileAnswers {
  readonly answers: Answers;
  /** As it stands there; lib/secrets/answers.ts reads it. */
  readonly secrets: unknown;
}

/**
 * @param document what the YAML holds
 * @param place how messages name the file
 * @throws SecretsError with every mistake
 */
export function answersOfFile(document: unknown, place: string): FileAnswers {
  if (document === null || typeof document !== 'object' || Array.isArray(document)) {
    throw new SecretsError([`${place} must be a YAML map from question to answer, such as 'domain: mmo.homelab.io'.`]);
  }
  const known: readonly string[] = [...questions.map(({ id }) => id), SECRETS_KEY];
  const problems: string[] = [];
  const answers: Partial<Record<QuestionId, string>> = {};
  for (const [key, value] of Object.entries(document)) {
    if (key === SECRETS_KEY) continue;
    if (!known.includes(key)) {
      problems.push(`${place}: there is no question '${key}'${endWithMeant(key, known, 'the questions')}`);
      continue;
    }
    const text = textOf(value);
    if (text === undefined) problems.push(`${place}: the answer to '${key}' must be a text, a list or a map.`);
    else answers[key as QuestionId] = text;
  }
  if (problems.length > 0) throw new SecretsError(problems);
  return { answers, secrets: (document as Record<string, unknown>)[SECRETS_KEY] ?? {} };
}

/** `{ a: [x, y] }` → `a=x+y`; `[a, b]` → `a,b`; true → `yes`, null → `none`. */
function textOf(value: unknown, separator = ','): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === null) return 'none';
  if (typeof value !== 'object') return undefined;
  const parts = Array.isArray(value)
    ? value.map((each) => textOf(each))
    : Object.entries(value).map(([key, each]) => {
        const text = textOf(each, '+');
        return text === undefined ? undefined : `${key}=${text}`;
      });
  return parts.includes(undefined) ? undefined : parts.join(separator);
}
