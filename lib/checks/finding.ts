/**
 * What checks share when they speak: a finding becomes a violation unless its object departs on purpose, and lists and slips of the fingers read the same everywhere.
 * It deliberately knows no rule.
 */
import type { BuiltObject } from '../build';
import { nearestWord } from '../nearest';
import { type Check, type CheckInput, type Violation, violation } from './types';

export interface Finding {
  /** The object that is wrong. */
  readonly by: BuiltObject;
  readonly field: string;
  readonly message: string;
  readonly fix: string;
}

/** Violations of a check, without those that the objects are excepted from. */
export function reported(check: Pick<Check, 'id'>, input: CheckInput, findings: readonly Finding[]): Violation[] {
  return findings
    .filter(({ by, field }) => !input.excepted(by, check.id, field))
    .map(({ by, field, message, fix }) => violation(check, by, message, fix, field));
}

/** Words for a list; a long one is cut, because a sentence is read by a person. */
export function list(items: readonly string[]): string {
  if (items.length === 0) return 'none';
  return items.length > 6 ? `${items.slice(0, 5).join(', ')} and ${items.length - 5} more` : items.join(', ');
}

/** ` (did you mean 'x'?)` when something known is near enough to be a slip of the fingers. */
export function nearest(word: string, known: readonly string[]): string {
  const near = nearestWord(word, known);
  return near === undefined ? '' : ` (did you mean '${near}'?)`;
}
