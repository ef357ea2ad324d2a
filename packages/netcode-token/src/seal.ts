/**
 * XChaCha20-Poly1305 (IETF): HChaCha20 makes the nonce's first 16 bytes and the key into a subkey, and ChaCha20-Poly1305 with the other 8
 * does the rest. That part is OpenSSL's where Node has it, which takes less than half of the time. Deliberately without any layout of a token.
 */
import { createCipheriv, getCiphers } from 'node:crypto';
import { hchacha, xchacha20poly1305 } from '@noble/ciphers/chacha.js';

const TAG_BYTES = 16;
/** Electron's and other builds' libraries lack it. */
const NATIVE = getCiphers().includes('chacha20-poly1305');
/** "expand 32-byte k", ChaCha's constant. */
const SIGMA = words(new TextEncoder().encode('expand 32-byte k'), 4);

/**
 * Encrypts `plaintext` and writes ciphertext and tag (16 bytes) to `into` at `offset`. The caller is responsible for the nonce's being fresh.
 * @param native whether OpenSSL does it. @default where Node has it
 */
export function seal(
  { key, nonce, additional }: { readonly key: Uint8Array; readonly nonce: Uint8Array; readonly additional: Uint8Array },
  plaintext: Uint8Array,
  into: Uint8Array,
  offset: number,
  native = NATIVE,
): void {
  if (!native) {
    into.set(xchacha20poly1305(key, nonce, additional).encrypt(plaintext), offset);
    return;
  }
  // RFC 8439's nonce has 12 bytes, the first 4 of them zero here (draft-irtf-cfrg-xchacha, section 2.3).
  const shortNonce = new Uint8Array(12);
  shortNonce.set(nonce.subarray(16), 4);
  const cipher = createCipheriv('chacha20-poly1305', subkey(key, nonce), shortNonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additional, { plaintextLength: plaintext.length });
  into.set(cipher.update(plaintext), offset);
  cipher.final();
  into.set(cipher.getAuthTag(), offset + plaintext.length);
}

function subkey(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const made = new Uint32Array(8);
  hchacha(SIGMA, words(key, 8), words(nonce, 4), made);
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < 8; index++) view.setUint32(index * 4, made[index] as number, true);
  return bytes;
}

/** The first words of `bytes`, little-endian on every machine. */
function words(bytes: Uint8Array, count: number): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = new Uint32Array(count);
  for (let index = 0; index < count; index++) read[index] = view.getUint32(index * 4, true);
  return read;
}
