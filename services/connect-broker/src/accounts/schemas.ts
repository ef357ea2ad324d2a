/**
 * Shapes of requests that several routes share.
 * It deliberately says in each refusal what would be right; the rules themselves are in names.ts and password-rules.ts.
 */
import { z } from 'zod';
import { NAME_INPUT_MOST, NAME_LENGTH, nameMistakes } from './names.ts';
import { PASSWORD_INPUT_MOST, PASSWORD_LENGTH, passwordMistakes } from './password-rules.ts';

/** A name that is chosen. */
export const newName = z
  .string()
  .superRefine((name, context) => {
    for (const message of nameMistakes(name)) context.addIssue({ code: 'custom', message });
  })
  .describe(
    `${NAME_LENGTH.least} to ${NAME_LENGTH.most} letters, numbers, '.', '_' and '-' of one alphabet; unique without regard to case and forms of letters.`,
  );

/** A name that is given to find an account: whatever it is, the answer is the same. */
export const givenName = z
  .string()
  .min(1)
  .max(NAME_INPUT_MOST)
  .regex(/^[^\p{Cc}]*$/u, 'must not have control characters');

/** A password that is given to be compared. */
export const givenPassword = z.string().min(1).max(PASSWORD_INPUT_MOST);

/** A password that is chosen; `requireGoodPassword` or `refinePassword` says the rest, because it depends on the name. */
export const newPassword = z
  .string()
  .min(1)
  .max(PASSWORD_INPUT_MOST)
  .describe(`${PASSWORD_LENGTH.least} to ${PASSWORD_LENGTH.most} characters; not the name, and not among the first that are guessed.`);

/** Adds what is wrong with `password` for `name` to the other mistakes of a body. */
export function refinePassword(body: { readonly name: string; readonly password: string }, context: z.RefinementCtx): void {
  for (const message of passwordMistakes(body.password, body.name)) context.addIssue({ code: 'custom', path: ['password'], message });
}

export const inviteCode = z
  .string()
  .min(1)
  .max(60)
  .describe('An invitation, where registration is by invite. Case, hyphens and spaces do not matter.');

export const emailAddress = z.email().max(254);

/** A token of a link: 43 characters. */
export const linkToken = z.string().min(1).max(100);

/** Either kind of session. */
export const SESSION_NEEDED = [{ cookie: [] }, { bearer: [] }] as const satisfies readonly Readonly<Record<string, readonly string[]>>[];
