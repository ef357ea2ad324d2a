/**
 * "Did you mean": the known word that somebody probably meant by one that is not known.
 * It deliberately writes no sentence; each message has its own.
 */
import { closest, distance } from 'fastest-levenshtein';

/**
 * The nearest known word, or undefined when none is near enough to be a slip of the fingers: a third of the letters may differ, and two in a short word.
 * Case does not count: it is the commonest slip of all (hostIp, externalIps).
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const written = word.toLowerCase();
  const near = closest(
    written,
    known.map((each) => each.toLowerCase()),
  );
  if (distance(written, near) > Math.max(2, Math.floor(word.length / 3))) return undefined;
  return known.find((each) => each.toLowerCase() === near);
}
