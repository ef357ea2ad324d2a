/** What the keys of sessions make of a token. */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { hmacSha256 } from '../../src/accounts/session-keys.ts';

describe('the hash of a session', () => {
  for (const bytes of [32, 64, 65, 200]) {
    test(`is HMAC-SHA-256 under a key of ${bytes} bytes`, () => {
      const key = randomBytes(bytes);
      const token = `bearer:${randomBytes(32).toString('base64url')} ä`;
      assert.deepEqual(Buffer.from(hmacSha256(key)(token)), createHmac('sha256', key).update(token).digest());
    });
  }

  test('of one token stays as it is when another one is hashed', () => {
    const under = hmacSha256(randomBytes(32));
    const first = under('bearer:first');
    const before = Buffer.from(first).toString('hex');
    under('bearer:second');
    assert.equal(Buffer.from(first).toString('hex'), before);
  });
});
