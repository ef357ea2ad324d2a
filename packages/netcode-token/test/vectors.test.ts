/** Golden vectors: tokens of the C library and of Rust crates are read and written byte for byte, and invalid input is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createConnectToken,
  decodeConnectToken,
  decodePrivatePart,
  decodePublicToken,
  decodeRenet,
  encodeRenet,
  formatAddress,
  readPrivatePart,
} from '../src/index.ts';
import { writeToken } from '../src/wire.ts';
import { creationError, errorOf, KEY } from './fixtures.ts';
import {
  bytes,
  hex,
  type InvalidInput,
  invalidInputs,
  ipv6Of,
  packed,
  randomOf,
  timeoutOf,
  type Vector,
  vector,
  vectors,
} from './golden.ts';

/** Vectors that this library would not make, since they break a rule for new tokens, and the field of the rule. */
const NOT_FOR_NEW_TOKENS: { readonly [name: string]: string } = {
  'c-ipv4-32': 'timeoutSeconds',
  'c-ipv6-32-standard': 'timeoutSeconds',
  'own-ipv6-32-octets': 'timeoutSeconds',
  'renetcode-ipv4-32': 'timeoutSeconds',
  'renetcode-ipv6-32': 'timeoutSeconds',
  'c-u64-extremes': 'createdAt',
};

/** A token with the vector's values, made the way a broker makes it. */
function create(one: Vector) {
  return createConnectToken({
    protocolId: BigInt(one.protocolId),
    clientId: BigInt(one.clientId),
    createdAt: BigInt(one.createTimestamp),
    lifetimeSeconds: Number(BigInt(one.expireTimestamp) - BigInt(one.createTimestamp)),
    timeoutSeconds: timeoutOf(one),
    maxTimeoutSeconds: 2_147_483_647,
    publicAddresses: one.serverAddresses,
    privateAddresses: one.internalServerAddresses,
    userData: bytes(one.userData),
    key: bytes(one.privateKey),
    ipv6: ipv6Of(one),
    ipv4Mapped: 'keep',
    random: randomOf(one),
  });
}

it('there are 24 vectors and 14 invalid inputs', () => {
  assert.deepEqual([vectors.length, invalidInputs.length], [24, 14]);
});

for (const one of vectors) {
  describe(`vector ${one.name}`, () => {
    it('its public part is read', () => {
      const token = decodePublicToken(bytes(one.token), { ipv6: ipv6Of(one) });
      assert.deepEqual(
        { ...token, addresses: token.addresses.map(formatAddress) },
        {
          protocolId: BigInt(one.protocolId),
          createdAt: BigInt(one.createTimestamp),
          expiresAt: BigInt(one.expireTimestamp),
          nonce: bytes(one.nonce),
          encryptedPrivatePart: bytes(one.privateEncrypted),
          timeoutSeconds: timeoutOf(one),
          addresses: one.serverAddresses,
          clientToServerKey: bytes(one.clientToServerKey),
          serverToClientKey: bytes(one.serverToClientKey),
        },
      );
    });

    it('its private part is decrypted and read', () => {
      const token = decodePublicToken(bytes(one.token), { ipv6: ipv6Of(one) });
      const part = decodePrivatePart(token, { key: bytes(one.privateKey), ipv6: ipv6Of(one) });
      assert.deepEqual(
        { ...part, addresses: part.addresses.map(formatAddress) },
        {
          clientId: BigInt(one.clientId),
          timeoutSeconds: timeoutOf(one),
          addresses: one.internalServerAddresses,
          clientToServerKey: bytes(one.clientToServerKey),
          serverToClientKey: bytes(one.serverToClientKey),
          userData: bytes(one.userData),
        },
      );
    });

    it('its decrypted private part is read like its encrypted one', () => {
      const ipv6 = ipv6Of(one);
      const { privatePart } = decodeConnectToken(bytes(one.token), { key: bytes(one.privateKey), ipv6 });
      assert.deepEqual(readPrivatePart(bytes(one.privatePlaintext), { ipv6 }), privatePart);
    });

    it('its bytes are written', () => {
      const token = writeToken({
        protocolId: BigInt(one.protocolId),
        clientId: BigInt(one.clientId),
        createdAt: BigInt(one.createTimestamp),
        expiresAt: BigInt(one.expireTimestamp),
        timeoutSeconds: one.timeoutSeconds,
        publicAddresses: packed(one.serverAddresses),
        privateAddresses: packed(one.internalServerAddresses),
        userData: bytes(one.userData),
        ipv6: ipv6Of(one),
        key: bytes(one.privateKey),
        nonce: bytes(one.nonce),
        clientToServerKey: bytes(one.clientToServerKey),
        serverToClientKey: bytes(one.serverToClientKey),
      });
      assert.equal(hex(token), one.token);
    });

    it("it goes through renet's form and back unchanged", () => {
      // The standard's words have no place in renet's form; those of IPv4 alone are the same in both.
      const ipv6 = one.serverAddresses.some((address) => address.startsWith('[')) ? ipv6Of(one) : 'octets';
      const source = { token: bytes(one.token), clientId: BigInt(one.clientId), ipv6 };
      if (ipv6 === 'words') assert.equal(errorOf(() => encodeRenet(source)).field, 'ipv6');
      else assert.equal(hex(decodeRenet(encodeRenet(source)).token), one.token);
    });

    const refusedAt = NOT_FOR_NEW_TOKENS[one.name];
    if (refusedAt)
      it(`a new token of this kind is refused at ${refusedAt}`, () => assert.equal(errorOf(() => create(one)).field, refusedAt));
    else it('createConnectToken makes the same bytes', () => assert.equal(hex(create(one).token), one.token));
  });
}

/** The options of createConnectToken that an invalid input stands for. */
function optionsOf(input: InvalidInput): Record<string, unknown> {
  if (input.serverAddresses) return { publicAddresses: input.serverAddresses };
  if (input.userDataBytes !== undefined) return { userData: new Uint8Array(input.userDataBytes) };
  if (input.privateKeyBytes !== undefined) return { key: KEY.subarray(0, input.privateKeyBytes) };
  if (input.clientId !== undefined) return { clientId: BigInt(input.clientId) };
  const created = BigInt(input.createTimestamp ?? '0');
  return { createdAt: created, lifetimeSeconds: Number(BigInt(input.expireTimestamp ?? '0') - created) };
}

const REFUSED_AT: { readonly [name: string]: string } = {
  'no server address': 'publicAddresses',
  '33 server addresses': 'publicAddresses',
  '257 bytes of user data': 'userData',
  '31-byte key': 'key',
  'expire before create': 'lifetimeSeconds',
  'client id of 2^64': 'clientId',
  'negative client id': 'clientId',
};

for (const input of invalidInputs) {
  it(`a token with ${input.name} is refused, and the error names the field`, () => {
    const error = creationError(optionsOf(input));
    assert.deepEqual(
      error.problems.map(({ field }) => field),
      [REFUSED_AT[input.name] ?? 'publicAddresses[0]'],
    );
  });

  if (input.serverAddresses)
    it(`the private list of a token refuses ${input.name} too`, () => {
      assert.match(creationError({ privateAddresses: input.serverAddresses }).field, /^privateAddresses/);
    });
}

it("renet's form of one IPv4 address has 1172 bytes", () => {
  const one = vector('renetcode-ipv4-1');
  assert.equal(encodeRenet(create(one)).length, 1172);
});

it("renet's form is the client id, little-endian, and the standard's bytes without the padding", () => {
  const one = vector('renetcode-ipv6-1');
  assert.equal(hex(encodeRenet(create(one))), `0807060504030201${one.token.slice(0, 2 * 1176)}`);
});

it('IPv6 read the wrong way gives another address, so the setting matters', () => {
  const token = bytes(vector('c-ipv6-1-standard').token);
  assert.deepEqual(decodePublicToken(token, { ipv6: 'octets' }).addresses.map(formatAddress), ['[120:b80d:100::efbe]:40000']);
});
