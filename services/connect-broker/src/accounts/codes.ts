/**
 * Secrets that are used once or shown once: tokens for links, and codes that people copy from paper. Made here, and hashed here.
 * It deliberately uses a plain SHA-256: with 80 random bits or more nothing can be tried, so neither slowness nor a key adds anything,
 * and a code on paper must outlive the rotation of keys.
 */
import { createHash, randomBytes } from 'node:crypto';

/** What a secret is for: part of its hash, so that one kind is never taken for another. */
export type CodePurpose = 'recovery-code' | 'invite' | 'reset-link' | 'email-link' | 'openid-state' | 'openid-ticket';

/** 256 random bits in base64url: 43 characters. */
export const randomToken = (): string => randomBytes(32).toString('base64url');

/** Crockford's base 32: no letter that is taken for a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_CHARACTERS = 16;

/** 80 random bits for people: `7KQ2-9XWD-M0AV-RR5H`. */
export function randomCode(): string {
  const characters = [...randomBytes(CODE_CHARACTERS)].map((byte) => ALPHABET[byte % 32]);
  return characters.join('').replace(/.{4}(?=.)/g, '$&-');
}

/** A code as it was made, however it was typed: case, spaces, hyphens, O for 0, I and L for 1. */
export const normalizedCode = (typed: string): string =>
  typed
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');

/** @param scope what the secret belongs to, such as an account's id: the same code of another has another hash */
export const hashCode = (purpose: CodePurpose, secret: string, scope = ''): Uint8Array =>
  createHash('sha256').update(`${purpose}\0${scope}\0${secret}`).digest();
