/** 64-bit numbers as text, and tokens as JSON. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  connectTokenToJson,
  createConnectToken,
  decodePublicToken,
  decodeRenet,
  formatProtocolId,
  parseProtocolId,
  parseU64,
  publicTokenToJson,
  randomClientId,
  type TokenEncoding,
  tokenFromBase64,
} from '../src/index.ts';
import { errorOf, validOptions } from './fixtures.ts';
import { bytes, hex, vector, vectors } from './golden.ts';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('protocol ids', () => {
  const read: readonly (readonly [string, bigint])[] = [
    ['0x4d4d4f0000000001', 0x4d4d4f0000000001n],
    ['0xFFFFFFFFFFFFFFFF', 2n ** 64n - 1n],
    ['0x0', 0n],
    ['0x0000000000000001', 1n],
    ['0', 0n],
    ['18446744073709551615', 2n ** 64n - 1n],
  ];
  for (const [text, value] of read) it(`${text} is read`, () => assert.equal(parseProtocolId(text), value));

  for (const text of [
    '',
    '0x',
    '0X1',
    '0x1g',
    '0x10000000000000000',
    '007',
    '-1',
    '+1',
    '1e3',
    ' 1',
    '1\n',
    '18446744073709551616',
    '99999999999999999999',
    '0b1',
    1,
    1n,
    undefined,
  ])
    it(`${typeof text} ${JSON.stringify(String(text))} is refused`, () => {
      assert.equal(errorOf(() => parseProtocolId(text as string)).field, 'protocolId');
    });

  it('what is written is read the same', () => {
    fc.assert(fc.property(u64, (value) => assert.equal(parseProtocolId(formatProtocolId(value)), value)));
  });

  it('what does not fit is not written', () => assert.equal(errorOf(() => formatProtocolId(-1n)).field, 'protocolId'));
});

describe('decimal numbers', () => {
  it('what String() writes is read', () => {
    fc.assert(fc.property(u64, (value) => assert.equal(parseU64(String(value)), value)));
  });

  for (const text of ['', '01', '-1', '0x1', '1.0', '18446744073709551616', 9007199254740992])
    it(`${typeof text} ${text} is refused under the caller's name`, () => {
      assert.equal(errorOf(() => parseU64(text as string, 'clientId')).field, 'clientId');
    });
});

describe('client ids', () => {
  it('a thousand are all different and fit', () => {
    const ids = Array.from({ length: 1000 }, randomClientId);
    assert.deepEqual([new Set(ids).size, ids.every((id) => id > 0n && id < 2n ** 64n)], [1000, true]);
  });
});

describe('JSON', () => {
  const token = createConnectToken(validOptions({ clientId: 2n ** 64n - 1n }));

  it('64-bit numbers are decimal strings', () => {
    const { clientId, expiresAt } = JSON.parse(JSON.stringify(connectTokenToJson(token)));
    assert.deepEqual([clientId, expiresAt], ['18446744073709551615', '1700000030']);
  });

  it("the standard's form is the one that is given unasked", () => {
    assert.deepEqual(Object.keys(connectTokenToJson(token).tokens), ['netcode']);
  });

  it("the standard's form comes back from base64", () => {
    assert.deepEqual(tokenFromBase64(connectTokenToJson(token).tokens.netcode ?? ''), token.token);
  });

  it("renet's form comes back from base64", () => {
    assert.deepEqual(decodeRenet(tokenFromBase64(connectTokenToJson(token, ['renet']).tokens.renet ?? '')).token, token.token);
  });

  it('an unknown form is refused', () => {
    assert.equal(errorOf(() => connectTokenToJson(token, ['renet2' as TokenEncoding])).field, 'encodings');
  });

  it('a description of a token holds addresses and times and no secret', () => {
    assert.deepEqual(publicTokenToJson(decodePublicToken(token.token)), {
      protocolId: '0x4d4d4f0000000001',
      createdAt: '1700000000',
      expiresAt: '1700000030',
      timeoutSeconds: 5,
      addresses: ['203.0.113.7:40000'],
    });
  });

  it('base64 has the length of the vectors', () => {
    assert.deepEqual(
      vectors.map((one) => Buffer.from(bytes(one.token)).toString('base64').length),
      vectors.map((one) => one.tokenBase64Length),
    );
  });

  it('the longest token of renet is taken', () => {
    assert.equal(tokenFromBase64(Buffer.alloc(2056, 1).toString('base64')).length, 2056);
  });

  for (const text of ['', 'A', 'AAA', 'AA=A', 'AB==', '-_-_', 'AAAA\n', ' AAAA', 'é', 'A'.repeat(2748)])
    it(`${JSON.stringify(text.slice(0, 10))} of ${text.length} characters is refused`, () => {
      assert.equal(errorOf(() => tokenFromBase64(text)).field, 'token');
    });

  it('bytes are not kept in a shared buffer', () => {
    const one = vector('c-ipv4-1');
    const read = tokenFromBase64(Buffer.from(bytes(one.token)).toString('base64'));
    assert.deepEqual([read.buffer.byteLength, hex(read)], [2048, one.token]);
  });
});
