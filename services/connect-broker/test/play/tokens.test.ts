/** Which addresses a token has, in which order, and who the server is in it. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { decodeConnectToken, decodeUserData, formatAddress } from 'netcode-token';
import type { ServerIdentity } from '../../src/discovery/view.ts';
import { tokenAnswer, tokenAnswerJson, tokenAnswerSchema } from '../../src/play/connect-api.ts';
import { freshClientId } from '../../src/play/sessions.ts';
import { dialledAddresses, issueToken } from '../../src/play/tokens.ts';
import { testSettings } from '../support/broker.ts';

const LAN = { address: '192.168.1.245', port: 40_000 };
const WAN = { address: '203.0.113.7', port: 50_000 };
const POD = { address: '10.42.0.17', port: 7777 };
const TIMES = { lifetimeSeconds: 35, timeoutSeconds: 5 };
const identity: ServerIdentity = {
  serverId: 'world:aurora/eldermoor',
  podName: 'eldermoor-0',
  podUid: 'uid',
  namespace: 'realm-aurora',
  privateAddress: POD,
  lan: [LAN],
  wan: [WAN],
  keyGeneration: 1,
  protocolId: 0x4d4d4f0000000001n,
  build: '0.4.2',
};
const key = randomBytes(32);
const request = () => ({
  clientId: freshClientId(),
  accountId: randomUUID(),
  characterId: randomUUID(),
  playSessionId: randomUUID(),
  clientAddress: '198.51.100.20',
  key,
});
const broker = { settings: testSettings() };

describe('the addresses that a client dials', () => {
  const order = (client: string, changes: Partial<ServerIdentity> = {}, times = TIMES) =>
    dialledAddresses({ ...identity, ...changes }, client, times).map(({ ip, port }) => ({ address: ip, port }));

  test('begin with the WAN for a client on the Internet', () => {
    assert.deepEqual(order('198.51.100.20'), [WAN, LAN]);
  });
  test('begin with the LAN for a client in the LAN', () => {
    assert.deepEqual(order('192.168.1.50'), [LAN, WAN]);
  });
  test('begin with the LAN for a client that seems to be our own router', () => {
    assert.deepEqual(order('203.0.113.7'), [LAN, WAN]);
  });
  test('begin with the LAN for our own router written as IPv4 inside IPv6', () => {
    assert.deepEqual(order('::ffff:203.0.113.7'), [LAN, WAN]);
  });
  test('begin with the WAN when the client’s address is none', () => {
    assert.deepEqual(order('unknown'), [WAN, LAN]);
  });
  test('are the LAN’s alone where there is no WAN', () => {
    assert.deepEqual(order('198.51.100.20', { wan: [] }), [LAN]);
  });
  test('have an address that is both but once', () => {
    assert.deepEqual(order('198.51.100.20', { wan: [LAN] }), [LAN]);
  });
  test('are as many as can be tried while the token lives, with one of the other kind', () => {
    const wan = Array.from({ length: 9 }, (_, index) => ({ ...WAN, port: 50_000 + index }));
    assert.deepEqual(order('198.51.100.20', { wan }), [...wan.slice(0, 6), LAN]);
  });
  test('are never more than a token carries', () => {
    const wan = Array.from({ length: 40 }, (_, index) => ({ ...WAN, port: 50_000 + index }));
    assert.equal(order('198.51.100.20', { wan }, { lifetimeSeconds: 120, timeoutSeconds: 1 }).length, 32);
  });
});

describe('a token', () => {
  const decode = (changes: Partial<ServerIdentity> = {}) => {
    const asked = request();
    const issued = issueToken(broker, { ...identity, ...changes }, asked);
    return { asked, ...decodeConnectToken(Buffer.from(issued.token, 'base64'), { key, ipv6: 'octets' }) };
  };

  test('names the pod alone in its private list', () => {
    assert.deepEqual(decode().privatePart.addresses.map(formatAddress), ['10.42.0.17:7777']);
  });
  test('has the protocol of the pod’s label', () => {
    assert.equal(decode().publicToken.protocolId, identity.protocolId);
  });
  test('lives and times out as configured', () => {
    const { publicToken } = decode();
    assert.deepEqual([publicToken.expiresAt - publicToken.createdAt, publicToken.timeoutSeconds], [35n, 5]);
  });
  test('has account, character, session, server and build in its user data', () => {
    const { asked, privatePart } = decode();
    const { issuedAt: _, ...userData } = decodeUserData(privatePart.userData);
    assert.deepEqual(userData, {
      clientId: asked.clientId,
      accountId: asked.accountId,
      characterId: asked.characterId,
      sessionId: asked.playSessionId,
      serverId: 'world:aurora/eldermoor',
      build: '0.4.2',
    });
  });
  test('carries IPv6 addresses as configured', () => {
    const { publicToken } = decode({ wan: [{ address: '2001:db8::7', port: 50_000 }] });
    assert.deepEqual(publicToken.addresses.map(formatAddress), ['[2001:db8::7]:50000', '192.168.1.245:40000']);
  });
  test('has the addresses in the order for each client, of one server too', () => {
    const dialled = (clientAddress: string) => {
      const { token } = issueToken(broker, identity, { ...request(), clientAddress });
      return decodeConnectToken(Buffer.from(token, 'base64'), { key }).publicToken.addresses.map(formatAddress);
    };
    const [far, near] = [
      ['203.0.113.7:50000', '192.168.1.245:40000'],
      ['192.168.1.245:40000', '203.0.113.7:50000'],
    ];
    assert.deepEqual(['198.51.100.20', '192.168.1.50', '198.51.100.20', '192.168.1.50'].map(dialled), [far, near, far, near]);
  });
  for (const encodings of [['standard'], ['renet'], ['standard', 'renet']] as const) {
    test(`is answered in ${encodings.join(' and ')} as the schema says`, () => {
      const [issued, playSessionId] = [issueToken(broker, identity, request()), randomUUID()];
      const written: unknown = JSON.parse(tokenAnswerJson(issued, playSessionId, [...encodings]));
      assert.deepEqual(tokenAnswerSchema.strict().parse(written), tokenAnswer(issued, playSessionId, [...encodings]));
    });
  }
  test('is not made where nobody can dial', () => {
    assert.throws(() => issueToken(broker, { ...identity, lan: [], wan: [] }, request()), { code: 'realm-unavailable' });
  });
});

test('fresh client ids are positive, of 63 bits, and not repeated', () => {
  const ids = new Set(Array.from({ length: 10_000 }, freshClientId));
  assert.equal(ids.size, 10_000);
  assert.ok([...ids].every((id) => id > 0n && id < 2n ** 63n));
  assert.ok([...ids].some((id) => id > 2n ** 62n));
});
