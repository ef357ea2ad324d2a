/** What tests share: valid options, and errors as values. Deliberately no test. */
import { type CreateConnectTokenOptions, createConnectToken, NetcodeTokenError, type SessionUserData } from '../src/index.ts';

export const KEY = new Uint8Array(32).map((_, index) => 200 - index);

export const SESSION: SessionUserData = {
  accountId: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
  characterId: '0b0e3c0a-52d7-4f36-8f4e-1d2c3b4a5968',
  sessionId: 'a3bb189e-8bf9-4c3d-9f6c-7d1b2f0e5a44',
  serverId: 'aurora/eldermoor',
  build: '0.4.2',
};

/** Options of a token that is right in all respects. */
export function validOptions(changes: Partial<CreateConnectTokenOptions> = {}): CreateConnectTokenOptions {
  return {
    protocolId: 0x4d4d4f0000000001n,
    clientId: 7_000_000_000_000_000_123n,
    createdAt: 1_700_000_000n,
    lifetimeSeconds: 30,
    timeoutSeconds: 5,
    publicAddresses: ['203.0.113.7:40000'],
    privateAddresses: ['10.42.7.9:7777'],
    userData: SESSION,
    key: KEY,
    ...changes,
  };
}

/** The error that the function throws; anything else fails the test. */
export function errorOf(run: () => unknown): NetcodeTokenError {
  try {
    run();
  } catch (error) {
    if (error instanceof NetcodeTokenError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The error of a token with these options; `unknown`, since wrong types are part of what is tested. */
export function creationError(changes: Record<string, unknown>): NetcodeTokenError {
  return errorOf(() => createConnectToken({ ...validOptions(), ...changes } as CreateConnectTokenOptions));
}
