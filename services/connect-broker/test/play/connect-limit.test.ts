/** How often one account may connect. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { makeConnectLimit } from '../../src/play/connect-limit.ts';

describe('the limit of connects', () => {
  const limited = (work: () => void): boolean => {
    try {
      work();
      return false;
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'too-many-requests');
      return true;
    }
  };
  const make = () => {
    let clock = 0;
    const limit = makeConnectLimit(() => clock);
    return { limit, pass: (milliseconds: number) => (clock += milliseconds) };
  };

  test('lets an account connect thirty times in ten seconds', () => {
    const { limit } = make();
    const answers = Array.from({ length: 31 }, () => limited(() => limit.count('a')));
    assert.deepEqual([answers.indexOf(true), answers.filter(Boolean).length], [30, 1]);
  });

  test('is over after ten seconds', () => {
    const { limit, pass } = make();
    for (let connects = 0; connects < 40; connects++) limited(() => limit.count('a'));
    pass(10_000);
    assert.equal(
      limited(() => limit.count('a')),
      false,
    );
  });

  test('counts each account for itself', () => {
    const { limit } = make();
    for (let connects = 0; connects < 40; connects++) limited(() => limit.count('a'));
    assert.equal(
      limited(() => limit.count('b')),
      false,
    );
  });

  test('counts the sessions of one account together', () => {
    const { limit } = make();
    const sessions = [randomBytes(32), randomBytes(32)];
    for (const session of sessions) limit.learn(session, 'a');
    const answers = Array.from({ length: 40 }, (_, index) => limited(() => limit.countSession(sessions[index % 2] as Buffer)));
    assert.equal(answers.filter(Boolean).length, 12);
  });
});
