/**
 * What an account may be called, and when two names are the same.
 * It deliberately knows no database; the key that it makes is what the database keeps unique.
 */

/**
 * Visible characters of a name, and code points altogether: marks that are stacked make no longer name.
 * At least so many letters (a cluster of several letters of an Indic script is not short), at most so many grapheme clusters.
 */
export const NAME_LENGTH = { least: 3, most: 24, codePoints: 40 } as const;

/** The longest text that is looked at: anything longer is refused before it costs time. UTF-16 units. */
export const NAME_INPUT_MOST = 200;

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** Letters, marks and numbers of every script, and what people put between them. */
const ALLOWED = /^[\p{L}\p{M}\p{N}._-]$/u;
/** Letters that nobody sees, such as the Hangul fillers, and selectors of variants. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;
/** Scripts with letters that look like another's: a name has letters of one of them. */
const LOOKALIKE_SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
  /\p{Script=Coptic}/u,
  /\p{Script=Lisu}/u,
] as const;

/** The name as it is stored and shown: NFKC, so that it looks the same everywhere. */
export const normalizedName = (name: string): string => name.normalize('NFKC');

/** What two spellings of one name share: NFKC with the case folded (upper, then lower, so that ß is ss and a final sigma is a sigma). */
export function nameKey(name: string): string {
  const folded = normalizedName(name).toUpperCase().normalize('NFKC').toLowerCase();
  return folded.replaceAll('ς', 'σ').normalize('NFKC');
}

const codePoint = (character: string): string => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** What is wrong with a name, each as the end of a sentence; none when it may be used. */
export function nameMistakes(name: string): string[] {
  if (name.length > NAME_INPUT_MOST) return [`must have at most ${NAME_LENGTH.most} characters`];
  if (/\p{Surrogate}/u.test(name)) return ['must be valid Unicode: half a surrogate pair is no character'];
  const normalized = normalizedName(name);
  const characters = [...normalized];
  const visible = [...segmenter.segment(normalized)].length;
  const mistakes: string[] = [];
  const letters = characters.filter((character) => !/\p{M}/u.test(character)).length;
  if (letters < NAME_LENGTH.least || visible > NAME_LENGTH.most || characters.length > NAME_LENGTH.codePoints) {
    mistakes.push(`must have ${NAME_LENGTH.least} to ${NAME_LENGTH.most} visible characters, not ${visible}`);
  }
  const refused = [...new Set(characters.filter((character) => !ALLOWED.test(character) || INVISIBLE.test(character)))];
  if (refused.length > 0) {
    const listed = refused.slice(0, 5).map(codePoint).join(', ');
    mistakes.push(`may have letters, numbers, '.', '_' and '-', but no spaces, symbols or invisible characters (${listed})`);
  } else if (!/^[\p{L}\p{N}]/u.test(normalized)) mistakes.push('must begin with a letter or a number');
  if (/\p{M}{4}/u.test(normalized)) mistakes.push('must have at most three marks on a letter');
  if (LOOKALIKE_SCRIPTS.filter((script) => script.test(normalized)).length > 1) {
    mistakes.push('must not mix letters of alphabets that look alike, such as Latin and Cyrillic');
  }
  return mistakes;
}
