/** Both ways to seal a token's private part: they must not differ in a single byte. The vectors test what they make together with the layout. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seal } from '../src/seal.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test('OpenSSL and @noble/ciphers make the same bytes', () => {
  fc.assert(
    fc.property(bytes(32), bytes(24), bytes(29), bytes(1008), (key, nonce, additional, plaintext) => {
      const [native, portable] = [new Uint8Array(1030), new Uint8Array(1030)];
      seal({ key, nonce, additional }, plaintext, native, 3, true);
      seal({ key, nonce, additional }, plaintext, portable, 3, false);
      assert.deepEqual(native, portable);
    }),
    { numRuns: 200 },
  );
});
