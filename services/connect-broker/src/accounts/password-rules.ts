/**
 * Which passwords may be chosen: long enough, not the name, not among the first that are guessed.
 * It deliberately asks for no digits or symbols: length is what helps, and rules of that kind make people write them down.
 */
import { nameKey } from './names.ts';

/** Characters (code points after NFKC). The upper bound is what hashing looks at, not what makes a password better. */
export const PASSWORD_LENGTH = { least: 10, most: 128 } as const;

/** The longest text that is looked at at all, in UTF-16 units: 128 characters take at most 256, and NFKC may shorten. */
export const PASSWORD_INPUT_MOST = 1024;

/** What is hashed: the same password typed on another keyboard is the same password. */
export const normalizedPassword = (password: string): string => password.normalize('NFKC');

/** What guessers try first, without the digits and symbols that are put around it. */
const GUESSED_FIRST = [
  'password',
  'passwort',
  'passw0rd',
  'p@ssword',
  'p@ssw0rd',
  'qwerty',
  'qwertz',
  'azerty',
  'qwertyuiop',
  'qwertzuiop',
  'asdfghjkl',
  'zxcvbnm',
  'letmein',
  'iloveyou',
  'welcome',
  'admin',
  'administrator',
  'dragon',
  'monkey',
  'football',
  'baseball',
  'superman',
  'starwars',
  'princess',
  'sunshine',
  'changeme',
  'minecraft',
  'abcdefghij',
  'qazwsxedc',
  'q1w2e3r4t5',
  '1q2w3e4r5t',
  '1qaz2wsx3edc',
];

/** What is wrong with a new password, each as the end of a sentence; none when it may be used. */
export function passwordMistakes(password: string, name: string): string[] {
  if (password.length > PASSWORD_INPUT_MOST) return [`must have at most ${PASSWORD_LENGTH.most} characters`];
  if (/\p{Surrogate}/u.test(password)) return ['must be valid Unicode: half a surrogate pair is no character'];
  const normalized = normalizedPassword(password);
  const characters = [...normalized];
  if (characters.length < PASSWORD_LENGTH.least || characters.length > PASSWORD_LENGTH.most) {
    return [`must have ${PASSWORD_LENGTH.least} to ${PASSWORD_LENGTH.most} characters, not ${characters.length}`];
  }
  const key = nameKey(normalized);
  const forbidden = nameKey(name);
  const aroundName = forbidden === '' ? key : key.replace(forbidden, '');
  if (aroundName !== key && !/\p{L}/u.test(aroundName)) return ['must not be the name, with or without digits around it'];
  const core = key.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  if (GUESSED_FIRST.includes(key) || GUESSED_FIRST.includes(core) || isTooEven(characters)) return ['is among the first that are guessed'];
  return [];
}

/** Few different characters, one sequence up or down (1234567890), or a short piece that is repeated. */
function isTooEven(characters: readonly string[]): boolean {
  if (new Set(characters).size < 5) return true;
  const steps = characters.slice(1).map((character, index) => (character.codePointAt(0) ?? 0) - (characters[index]?.codePointAt(0) ?? 0));
  // 9 is followed by 0 on a keyboard.
  const even = (step: number) => steps.every((found) => found === step || found === -9 * step);
  if (even(1) || even(-1)) return true;
  const text = characters.join('');
  return [2, 3, 4].some(
    (length) =>
      text ===
      text
        .slice(0, length)
        .repeat(Math.ceil(text.length / length))
        .slice(0, text.length),
  );
}
