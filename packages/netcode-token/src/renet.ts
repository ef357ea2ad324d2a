/**
 * The form in which the crate renetcode reads and writes tokens: the client id (u64) in front, the standard's bytes behind it, no padding.
 * Deliberately no other dialect: lightyear_netcode (big-endian) and renet2_netcode (one more field) are different formats again.
 */
import { formatAddress } from './address.ts';
import { type DecodeOptions, type PublicToken, readIpv6Option, readPublicToken, startsWithVersion } from './decode.ts';
import { describe, isBytes, Problems, problemAt } from './errors.ts';
import { readU64 } from './u64.ts';
import { CONNECT_TOKEN_BYTES, type Ipv6Layout, Reader } from './wire.ts';

/** Bytes of a token in renet's form with one IPv4 address. */
const SHORTEST = 1172;

/** A token in renet's form, taken apart. */
export interface RenetToken {
  /** The client id in front. renet's client takes it for its own; the server takes the one in the private part. */
  readonly clientId: bigint;
  /** The same token in the standard's form, 2048 bytes. */
  readonly token: Uint8Array;
  readonly publicToken: PublicToken;
}

/**
 * Writes a token in renet's form: what `ConnectToken::read` of the crate renetcode takes, 1172 bytes for one IPv4 address.
 * @param token what `createConnectToken` returns, or a token in the standard's form with its client id and IPv6 layout
 * @throws NetcodeTokenError when it is no token, or holds IPv6 addresses as words, which renet would misread
 */
export function encodeRenet(token: { readonly token: Uint8Array; readonly clientId: bigint; readonly ipv6: Ipv6Layout }): Uint8Array {
  if (typeof token !== 'object' || token === null) throw problemAt('token', `${describe(token)} is not what createConnectToken returns.`);
  const problems = new Problems();
  const clientId = readU64(token.clientId, 'clientId', problems);
  problems.throwIfAny();
  const { publicToken, end } = readPublicToken(token.token, readIpv6Option(token));
  new Reader(token.token, end).zeros('padding');
  const ipv6 = publicToken.addresses.find(({ family }) => family === 'IPv6');
  if (ipv6 && token.ipv6 === 'words')
    throw problemAt(
      'ipv6',
      `the token holds ${formatAddress(ipv6)} as the standard's words, and renet reads octets; create tokens for renet with ipv6: 'octets'.`,
    );
  const bytes = new Uint8Array(8 + end);
  new DataView(bytes.buffer).setBigUint64(0, clientId as bigint, true);
  bytes.set(token.token.subarray(0, end), 8);
  return bytes;
}

/**
 * Reads a token in renet's form, which must end with its last field.
 * @param options how IPv6 is written: `octets` (the default here, as renet does) or `refuse`
 * @throws NetcodeTokenError that names the first field that is wrong
 */
export function decodeRenet(bytes: Uint8Array, options: DecodeOptions & { readonly ipv6?: 'octets' | 'refuse' } = {}): RenetToken {
  const ipv6 = readIpv6Option(options, 'octets');
  if (ipv6 === 'words') throw problemAt('ipv6', "renet writes IPv6 as octets; it must be 'octets' or 'refuse'.");
  if (!isBytes(bytes)) throw problemAt('token', `${describe(bytes)} are no bytes; give a Uint8Array.`);
  if (startsWithVersion(bytes, 0))
    throw problemAt('clientId', "there is none in front of the token, so this is the standard's form; read it with decodePublicToken.");
  // The longest has 32 IPv6 addresses; a longer input is not worth copying.
  if (bytes.length > 8 + CONNECT_TOKEN_BYTES)
    throw problemAt('token', `it is ${bytes.length} bytes long, and no token in renet's form is as long as that.`);
  if (startsWithVersion(bytes, 8) && bytes.length < SHORTEST)
    throw problemAt('token', `it is ${bytes.length} bytes long, so it was cut off; the shortest in renet's form has ${SHORTEST}.`);
  const token = new Uint8Array(CONNECT_TOKEN_BYTES);
  token.set(bytes.subarray(8));
  const { publicToken, end } = readPublicToken(token, ipv6);
  if (bytes.length !== 8 + end)
    throw problemAt(
      'token',
      `it is ${bytes.length} bytes long, and its last field ends at byte ${8 + end}; ${bytes.length < 8 + end ? 'it was cut off' : "renet's form has no padding"}.`,
    );
  return { clientId: new Reader(bytes).u64(), token, publicToken };
}
