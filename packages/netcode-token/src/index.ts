/** netcode 1.02 connect tokens for brokers: make them, read them, in the standard's form and in renet's. Deliberately no UDP protocol. */
export { type AddressInput, formatAddress, parseAddress, type SocketAddress } from './address.ts';
export { type ConnectToken, type CreateConnectTokenOptions, createConnectToken } from './create.ts';
export {
  type DecodeOptions,
  type DecodePrivateOptions,
  decodeConnectToken,
  decodePrivatePart,
  decodePublicToken,
  type PrivatePart,
  type PublicToken,
  readPrivatePart,
} from './decode.ts';
export { NetcodeTokenError, type NetcodeTokenProblem } from './errors.ts';
export {
  type ConnectTokenJson,
  connectTokenToJson,
  type PublicTokenJson,
  publicTokenToJson,
  type TokenEncoding,
  tokenFromBase64,
} from './json.ts';
export { decodeRenet, encodeRenet, type RenetToken } from './renet.ts';
export { formatProtocolId, MAX_U64, parseProtocolId, parseU64, randomClientId } from './u64.ts';
export {
  decodeUserData,
  encodeUserData,
  MAX_BUILD_BYTES,
  MAX_SERVER_ID_BYTES,
  type SessionUserData,
  USER_DATA_VERSION,
  type UserData,
} from './user-data.ts';
export {
  CONNECT_TOKEN_BYTES,
  type Ipv6Layout,
  KEY_BYTES,
  MAX_ADDRESSES,
  NEVER_EXPIRES,
  NONCE_BYTES,
  PRIVATE_PART_BYTES,
  PRIVATE_PLAINTEXT_BYTES,
  USER_DATA_BYTES,
} from './wire.ts';
