/**
 * The difficulty that an instance is asked for with: one of its content type's, and the first when nothing is said.
 * It deliberately means nothing to the broker, which hands it to the server with the allocation.
 */
import { z } from 'zod';
import { Problem } from '../problem.ts';
import type { Settings } from '../settings.ts';

export const difficultySchema = z.string().min(1).max(63);

/** @returns undefined for a content type without difficulties @throws Problem `invalid` for one that the type does not have */
export function difficultyOf(
  { name, difficulties }: Pick<Settings['instances'][number], 'name' | 'difficulties'>,
  asked: string | undefined,
): string | undefined {
  if (asked === undefined) return difficulties[0];
  if (difficulties.includes(asked)) return asked;
  throw new Problem(
    'invalid',
    difficulties.length === 0
      ? `'${name}' has no difficulties to choose from.`
      : `'${name}' has no difficulty '${asked}'; it has ${difficulties.map((each) => `'${each}'`).join(', ')}.`,
    { members: { difficulties } },
  );
}
