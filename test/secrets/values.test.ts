/** Values: how they are made, what is taken, and what is refused. */
import { acceptValue, makeValue, type ValueNeed, valueProblem } from '../../lib/secrets/values';

describe('a value', () => {
  const value = (source: ValueNeed['source']): ValueNeed => ({ identity: 'some/value', source });

  test('that is a password has 32 letters and digits', () => {
    expect(makeValue(value({ generate: 'password' })).toString()).toMatch(/^[A-Za-z0-9]{32}$/);
  });

  test('that is a password has the length asked for', () => {
    expect(makeValue(value({ generate: 'password' }), 64)).toHaveLength(64);
  });

  test('that is random bytes has 32 of them', () => {
    expect(makeValue(value({ generate: 'random-32-bytes' }))).toHaveLength(32);
  });

  test('that is random bytes in hexadecimal has 64 digits', () => {
    expect(makeValue(value({ generate: 'random-32-bytes-hex' })).toString()).toMatch(/^[0-9a-f]{64}$/);
  });

  test('that is fixed is its text', () => {
    expect(makeValue(value({ literal: 'broker' })).toString()).toBe('broker');
  });

  test('is made anew each time', () => {
    expect(makeValue(value({ generate: 'password' }))).not.toEqual(makeValue(value({ generate: 'password' })));
  });

  test.each([
    ['password', 15, 'it must be 16 to 1024 characters'],
    ['random-32-bytes', 16, 'it must be exactly 32 bytes'],
  ] as const)('of source %s refuses a length of %d', (generate, length, sentence) => {
    expect(() => makeValue(value({ generate }), length)).toThrow(sentence);
  });

  test.each([
    ['a line feed', 'token\n', 'token'],
    ['the line end of Windows', 'token\r\n', 'token'],
    ['nothing', 'token', 'token'],
  ])('that a person gives loses %s at its end', (_, given, accepted) => {
    expect(acceptValue(value({ ask: 'a token' }), Buffer.from(given)).toString()).toBe(accepted);
  });

  test('of raw bytes keeps a line feed at its end', () => {
    const bytes = Buffer.concat([Buffer.alloc(31, 7), Buffer.from('\n')]);
    expect(acceptValue(value({ generate: 'random-32-bytes' }), bytes)).toEqual(bytes);
  });

  test.each([
    ['nothing for a token', { ask: 'a token' }, '', 'is empty'],
    ['a second line of a token', { ask: 'a token' }, 'token\nsecond\n', 'has more than one line; give exactly one'],
    [
      'an arrow key in a token',
      { ask: 'a token' },
      'tok\u001b[Den',
      'has control characters in it, as arrow keys and Ctrl leave them; type or paste it again',
    ],
    ['a space behind a token', { ask: 'a token' }, 'token ', 'begins or ends with white space, which no password or token has'],
    ['no more than a line feed for a password', { generate: 'password' }, '\n', 'is empty'],
    ['too few raw bytes', { generate: 'random-32-bytes' }, 'abc', 'has 3 bytes; it must be exactly 32 raw bytes'],
    ['digits that are not hexadecimal', { generate: 'random-32-bytes-hex' }, 'z'.repeat(64), 'must be 64 hexadecimal digits in lower case'],
  ] as const)('refuses %s', (_, source, given, sentence) => {
    expect(() => acceptValue(value(source), Buffer.from(given))).toThrow(`The value for 'some/value' ${sentence}.`);
  });

  test('of a token refuses bytes that are no text', () => {
    expect(() => acceptValue(value({ ask: 'a token' }), Buffer.from([0xff, 0xfe]))).toThrow('is not text in UTF-8');
  });
});

describe('a value that came out of a sealed one', () => {
  test.each([
    ['a fixed text', { literal: 'broker' }, 'broker'],
    ['a password', { generate: 'password' }, 'x'],
    ['32 bytes', { generate: 'random-32-bytes' }, 'x'.repeat(32)],
  ] as const)('is right when it is %s as its component says', (_, source, text) => {
    expect(valueProblem({ identity: 'some/value', source }, Buffer.from(text))).toBeUndefined();
  });

  test('is wrong when it is not the fixed text', () => {
    expect(valueProblem({ identity: 'some/value', source: { literal: 'broker' } }, Buffer.from('breaker'))).toBe(
      'is not the text that its component fixes',
    );
  });
});
