/**
 * The connect token for one player and one server: which addresses in which order, which key, what the user data says.
 * It deliberately decides nothing about who may enter (a token is not an admission: the claim is) and writes no bytes itself (netcode-token does).
 */
import ipaddr from 'ipaddr.js';
import { createConnectToken, encodeRenet, MAX_ADDRESSES } from 'netcode-token';
import type { Broker } from '../broker.ts';
import type { Address, ServerIdentity } from '../discovery/view.ts';
import { isPrivateAddress } from '../http/client-address.ts';
import { Problem } from '../problem.ts';

export interface TokenRequest {
  /** Of the reservation: fresh for each token. */
  readonly clientId: bigint;
  readonly accountId: string;
  readonly characterId: string;
  readonly playSessionId: string;
  /** Where the request came from; decides which addresses come first. */
  readonly clientAddress: string;
  /** The server's key: `broker.netcodeKeys.forRealm` or `forContentType` with the identity's generation. */
  readonly key: Uint8Array;
}

export interface IssuedToken {
  /** The standard's form, in base64. A secret of its player. */
  readonly token: string;
  /** renet's form of the same token, in base64. */
  readonly renet: string;
  /** Decimal. */
  readonly clientId: string;
  /** When servers refuse it, by the broker's clock: ISO 8601 UTC. */
  readonly expiresAt: string;
}

/**
 * Makes the token. Its private list is the pod's own address alone, so no server needs to know how players reach it.
 * @throws Problem `realm-unavailable` when no address that players can dial is known (yet)
 */
export function issueToken(broker: Pick<Broker, 'settings'>, identity: ServerIdentity, request: TokenRequest): IssuedToken {
  const { lifetimeSeconds, timeoutSeconds, ipv6 } = broker.settings.tokens;
  const publicAddresses = dialledAddresses(identity, request.clientAddress, { lifetimeSeconds, timeoutSeconds });
  if (publicAddresses.length === 0)
    throw new Problem('realm-unavailable', 'No address is known under which this server can be reached. Try again in a minute.', {
      members: { reason: 'no-address' },
      retryAfterSeconds: 30,
    });
  const token = createConnectToken({
    protocolId: identity.protocolId,
    clientId: request.clientId,
    lifetimeSeconds,
    timeoutSeconds,
    publicAddresses,
    privateAddresses: [dialled(identity.privateAddress)],
    userData: {
      accountId: request.accountId,
      characterId: request.characterId,
      sessionId: request.playSessionId,
      serverId: identity.serverId,
      build: identity.build,
    },
    key: request.key,
    ipv6,
  });
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  let renet: string | undefined;
  return {
    token: base64(token.token),
    get renet() {
      renet ??= base64(encodeRenet(token));
      return renet;
    },
    clientId: token.clientId.toString(),
    expiresAt: new Date(Number(token.expiresAt) * 1000).toISOString(),
  };
}

interface Times {
  readonly lifetimeSeconds: number;
  readonly timeoutSeconds: number;
}

type Dialled = readonly { readonly ip: string; readonly port: number }[];
/** Both lists of a server, from near and from far: an identity never changes, another one takes its place. (Nor do the times, within a process.) */
const dialledLists = new WeakMap<ServerIdentity, { near?: Dialled; far?: Dialled }>();

const dialled = ({ address, port }: Address) => ({ ip: address, port });
const same = (a: Address, b: Address): boolean => a.address === b.address && a.port === b.port;

/** Also when one of them is written as IPv4 inside IPv6. */
const sameAddress = (a: string, b: string): boolean =>
  a === b || (a.includes(':') !== b.includes(':') && ipaddr.isValid(b) && ipaddr.process(a).toString() === ipaddr.process(b).toString());

/**
 * The public list. A client in the LAN, or one that seems to come from our own WAN address (a router that hides the LAN), tries the LAN first, everybody else the WAN;
 * the other kind follows, because either guess may be wrong. Each address but the last may cost a timeout, so the list is cut to what a token's life has time for,
 * one address of the second kind kept.
 */
export function dialledAddresses(identity: ServerIdentity, clientAddress: string, times: Times): Dialled {
  let lists = dialledLists.get(identity);
  if (!lists) {
    lists = {};
    dialledLists.set(identity, lists);
  }
  const nearby = isNearby(identity, clientAddress);
  const side = nearby ? 'near' : 'far';
  lists[side] ??= addressesFrom(identity, nearby, times).map(dialled);
  return lists[side];
}

const isNearby = ({ wan }: Pick<ServerIdentity, 'wan'>, clientAddress: string): boolean =>
  isPrivateAddress(clientAddress) || wan.some(({ address }) => sameAddress(address, clientAddress));

function addressesFrom(
  { lan, wan }: Pick<ServerIdentity, 'lan' | 'wan'>,
  nearby: boolean,
  { lifetimeSeconds, timeoutSeconds }: Times,
): Address[] {
  const [first, second] = nearby ? [lan, wan] : [wan, lan];
  const others = second.filter((address) => !first.some((known) => same(known, address)));
  // (n − 1) × timeout must be below the lifetime.
  const most = Math.min(MAX_ADDRESSES, Math.ceil(lifetimeSeconds / timeoutSeconds));
  const kept = first.slice(0, Math.max(1, most - Math.min(1, others.length)));
  return [...kept, ...others.slice(0, Math.max(0, most - kept.length))];
}
