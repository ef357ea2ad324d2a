/** Names and passwords that may be chosen, and names that are the same. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hashCode, normalizedCode, randomCode } from '../../src/accounts/codes.ts';
import { nameKey, nameMistakes, normalizedName } from '../../src/accounts/names.ts';
import { passwordMistakes } from '../../src/accounts/password-rules.ts';

describe('a name', () => {
  for (const name of [
    'Ada',
    'x'.repeat(24),
    'Þórdís',
    'Иван_Грозный',
    'さくら',
    '小龙女',
    'प्रिया',
    'محمد',
    'a.b-c_1',
    '3000',
    'Ærøskøbing',
  ]) {
    test(`may be ${name}`, () => assert.deepEqual(nameMistakes(name), []));
  }

  for (const [name, what] of [
    ['', 'nothing'],
    ['ab', 'two letters'],
    ['x'.repeat(25), '25 letters'],
    ['Ada Lovelace', 'a space'],
    ['Ada\u00a0L', 'a no-break space'],
    ['Ada\u3000L', 'an ideographic space'],
    ['Ada\u200bL', 'a zero-width space'],
    ['Ada\u200dL', 'a zero-width joiner'],
    ['Ada\u00adL', 'a soft hyphen'],
    ['Ada\u202eL', 'a right-to-left override'],
    ['Ada\u2066L', 'an isolate'],
    ['Ada\u0000L', 'a null character'],
    ['Ada\nL', 'a line feed'],
    ['\u3164\u3164\u3164', 'Hangul fillers'],
    ['\uffa0\u115f\u1160', 'other fillers'],
    ['Ada\ufe0f', 'a selector of variants'],
    ['Ada\u{e0061}', 'a tag'],
    ['😀😀😀', 'pictures'],
    ['A\u0301\u0302\u0303\u0304\u0305\u0306da', 'a stack of marks'],
    ['\u0301Ada', 'a mark first'],
    ['-Ada', 'a hyphen first'],
    ['Аda', 'a Cyrillic А among Latin letters'],
    ['Αda', 'a Greek Α among Latin letters'],
    ['Ada\ud800', 'half a surrogate pair'],
    ['<b>Ada</b>', 'markup'],
    ['\ufdfa', 'a ligature of eighteen characters'],
  ] as const) {
    test(`may not have ${what}`, () => assert.notDeepEqual(nameMistakes(name), []));
  }

  for (const [one, other] of [
    ['Ada', 'ADA'],
    ['Ada', 'Ａｄａ'],
    ['café', 'cafe\u0301'],
    ['Straße', 'STRASSE'],
    ['Οδυσσεύς', 'ΟΔΥΣΣΕΎΣ'],
    ['ﬁnn', 'finn'],
    ['Ⅳab', 'ivab'],
    ['ſam', 'sam'],
  ] as const) {
    test(`${one} is ${other}`, () => assert.equal(nameKey(one), nameKey(other)));
  }

  for (const [one, other] of [
    ['Ada', 'Ado'],
    ['resume', 'résumé'],
    ['a_b', 'a-b'],
  ] as const) {
    test(`${one} is not ${other}`, () => assert.notEqual(nameKey(one), nameKey(other)));
  }

  const letters = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), minLength: 3, maxLength: 12 });
  const allowed = fc
    .oneof(letters('aAzÄäßÉéıİIiſﬁǅＡａ１9_.-'), letters('σςΣάΆΰϐβΒ3'), letters('жЖёЁ_7'), letters('漢字かガｶﾞ가각각①'))
    .filter((name) => nameMistakes(name).length === 0);

  test('has the same key in either case and every normal form', () => {
    fc.assert(
      fc.property(allowed, (name) => {
        const forms = [name.normalize('NFC'), name.normalize('NFD'), name.normalize('NFKD'), normalizedName(name)];
        return forms.every((form) => nameKey(form) === nameKey(name)) && nameKey(nameKey(name)) === nameKey(name);
      }),
    );
  });

  test('is still allowed as it is stored', () => {
    fc.assert(fc.property(allowed, (name) => nameMistakes(normalizedName(name)).length === 0));
  });

  test('never takes the rules apart, whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => Array.isArray(nameMistakes(name)) && typeof nameKey(name) === 'string'));
  });
});

describe('a password', () => {
  for (const password of ['correct horse battery', 'x9#kQ2!mPz', 'пароль не угадаешь', `${'a'.repeat(64)}bcdefgh`, 'Tr0ub4dor&3x']) {
    test(`may be ${password.slice(0, 24)}`, () => assert.deepEqual(passwordMistakes(password, 'Ada'), []));
  }

  for (const [password, what] of [
    ['short', 'short'],
    ['x1y2z3-'.repeat(19), 'longer than 128 characters'],
    ['1234567890', 'a sequence'],
    ['abcdefghijkl', 'the alphabet'],
    ['aaaaaaaaaaaa', 'one letter'],
    ['abcdabcdabcd', 'repeated'],
    ['password123!', 'the word password with digits'],
    ['Ada-4829104852', 'the name with digits'],
    ['\ufdfa'.repeat(10), 'longer than 128 characters once it is normalised'],
  ] as const) {
    test(`may not be ${what}`, () => assert.notDeepEqual(passwordMistakes(password, 'Ada'), []));
  }
});

describe('a code', () => {
  test('is found however it is typed', () => {
    fc.assert(
      fc.property(fc.constant(0), () => {
        const code = randomCode();
        const typed = [code.toLowerCase(), code.replaceAll('-', ''), ` ${code} `, code.replaceAll('0', 'O').replaceAll('1', 'l')];
        return typed.every((variant) => normalizedCode(variant) === normalizedCode(code));
      }),
    );
  });

  test('of one account is not that of another', () => {
    assert.notDeepEqual(hashCode('recovery-code', 'X', 'one'), hashCode('recovery-code', 'X', 'other'));
  });

  test('for one purpose is not for another', () => {
    assert.notDeepEqual(hashCode('invite', 'X'), hashCode('recovery-code', 'X'));
  });
});
