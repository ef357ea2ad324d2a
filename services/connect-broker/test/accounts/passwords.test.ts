/** The password hasher: bounded in what it does at once and in what waits, and never in the event loop's way. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultConcurrency, passwordHasher } from '../../src/accounts/passwords.ts';

const cheap = { memoryCost: 1024, timeCost: 2, parallelism: 1 } as const;

describe('the password hasher', () => {
  test('a hash is argon2id at the cost that OWASP names', async () => {
    assert.match(await passwordHasher().hash('a password'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  test('the right password matches', async () => {
    const hasher = passwordHasher({ cost: cheap });
    assert.equal(await hasher.verify(await hasher.hash('right'), 'right'), true);
  });

  test('a wrong password does not match', async () => {
    const hasher = passwordHasher({ cost: cheap });
    assert.equal(await hasher.verify(await hasher.hash('right'), 'Right'), false);
  });

  test('two hashes of one password differ', async () => {
    const hasher = passwordHasher({ cost: cheap });
    assert.notEqual(await hasher.hash('same'), await hasher.hash('same'));
  });

  test('nothing matches where there is no hash', async () => {
    assert.equal(await passwordHasher({ cost: cheap }).verify(undefined, ''), false);
  });

  test('a hash of another cost is to be renewed', async () => {
    const hash = await passwordHasher({ cost: cheap }).hash('old');
    assert.deepEqual([passwordHasher({ cost: cheap }).needsRehash(hash), passwordHasher().needsRehash(hash)], [false, true]);
  });

  test('what is more than may wait is told to come back', async () => {
    const hasher = passwordHasher({ concurrency: 1, most: 3, cost: cheap });
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => hasher.hash('x')));
    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => [reason.code, reason.retryAfterSeconds]);
    assert.deepEqual(refused, Array(6).fill(['unavailable', 5]));
  });

  test('those that wait are counted', async () => {
    const hasher = passwordHasher({ concurrency: 2, cost: cheap });
    const all = Promise.all(Array.from({ length: 5 }, () => hasher.hash('x')));
    const waiting = hasher.waiting();
    await all;
    assert.deepEqual([waiting, hasher.waiting()], [3, 0]);
  });

  test('a failure gives its place to the next', async () => {
    const hasher = passwordHasher({ concurrency: 1, cost: cheap });
    await Promise.allSettled(Array.from({ length: 3 }, () => hasher.verify('not a hash', 'x')));
    assert.match(await hasher.hash('x'), /^\$argon2id/);
  });

  test('one of libuv’s threads is left for files and names', () => {
    assert.ok(defaultConcurrency() >= 1 && defaultConcurrency() <= 3);
  });

  test('the event loop turns between the passwords of a wave', async () => {
    const hasher = passwordHasher();
    let done = 0;
    const wave = Promise.all(
      Array.from({ length: 20 }, async () => {
        await hasher.hash('a wave of log-ins').finally(() => {
          done++;
        });
      }),
    );
    // A hash that ran in the event loop would let nothing in between: each turn would find them all done, or none ever begun.
    const seen = new Set<number>();
    while (done < 20) {
      seen.add(done);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await wave;
    assert.ok(seen.size > 5, `the event loop turned while ${[...seen].join(', ')} were done`);
  });
});
