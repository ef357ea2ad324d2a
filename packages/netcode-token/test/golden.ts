/** The golden vectors: what they are, and how their texts become values. Deliberately no test. */
import { readFileSync } from 'node:fs';
import { readAddress } from '../src/address.ts';
import { Problems } from '../src/errors.ts';
import type { Ipv6Layout } from '../src/index.ts';

/** A token that another implementation made. Bytes are hexadecimal, 64-bit numbers decimal. */
export interface Vector {
  readonly name: string;
  readonly privateKey: string;
  readonly protocolId: string;
  readonly clientId: string;
  readonly createTimestamp: string;
  readonly expireTimestamp: string;
  readonly timeoutSeconds: number;
  readonly serverAddresses: readonly string[];
  readonly internalServerAddresses: readonly string[];
  readonly userData: string;
  readonly ipv6Layout: 'standard' | 'octets';
  readonly nonce: string;
  readonly clientToServerKey: string;
  readonly serverToClientKey: string;
  readonly privatePlaintext: string;
  readonly privateEncrypted: string;
  readonly token: string;
  readonly tokenBase64Length: number;
}

/** Input that no token may be made of. */
export interface InvalidInput {
  readonly name: string;
  readonly serverAddresses?: readonly string[];
  readonly userDataBytes?: number;
  readonly privateKeyBytes?: number;
  readonly createTimestamp?: string;
  readonly expireTimestamp?: string;
  readonly clientId?: string;
}

export const { vectors, invalidInputs } = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as {
  vectors: readonly Vector[];
  invalidInputs: readonly InvalidInput[];
};

/** The vector of this name. */
export function vector(name: string): Vector {
  const found = vectors.find((one) => one.name === name);
  if (!found) throw new Error(`there is no vector ${name}`);
  return found;
}

export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
export const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
export const ipv6Of = ({ ipv6Layout }: Vector): Ipv6Layout => (ipv6Layout === 'standard' ? 'words' : 'octets');
export const timeoutOf = ({ timeoutSeconds }: Vector): number | 'never' => (timeoutSeconds < 0 ? 'never' : timeoutSeconds);

/** A source of random numbers that yields the vector's nonce and keys. */
export const randomOf =
  ({ nonce, clientToServerKey, serverToClientKey }: Vector) =>
  (target: Uint8Array): void =>
    target.set(bytes(nonce + clientToServerKey + serverToClientKey));

/** Addresses as the encoder takes them. */
export function packed(addresses: readonly string[]) {
  const problems = new Problems();
  const list = addresses.flatMap((address) => readAddress(address, 'address', problems) ?? []);
  problems.throwIfAny();
  return list;
}
