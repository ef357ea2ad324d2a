/**
 * Entity tags of answers that lie ready in memory.
 * It deliberately makes strong ones only: an answer is either the same bytes or another one.
 */
import { createHash } from 'node:crypto';

/** The hash of the body, in quotes (RFC 9110, section 8.8.3). */
export const strongEtag = (body: Uint8Array): string => `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;

/** Whether If-None-Match names this tag (RFC 9110, section 13.1.2: weak comparison). */
export function isNamed(tag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch === tag) return true;
  return ifNoneMatch.split(',').some((named) => {
    const trimmed = named.trim();
    return trimmed === '*' || trimmed.replace(/^W\//, '') === tag;
  });
}
