/**
 * What counts as one client when addresses are counted: an IPv4 address, or an IPv6 network of /64, which is what one household has.
 * It deliberately logs nothing; addresses of players belong in no log at info level.
 */
import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** `203.0.113.7`, or `2001:db8:1:2::/64`. IPv4 inside IPv6 counts as IPv4. */
export function clientAddressKey(address: string): string {
  // Nearly every request, and already in its shortest form.
  if (isIPv4(address)) return address;
  if (!ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const groups = (parsed as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16));
  return `${groups.join(':')}::/64`;
}

/**
 * Where a client seems to be: on the Internet, in a private network, or on a node of the cluster. Players are never on a node, so the last means
 * that something on the way replaced their addresses by its own.
 */
export type ClientNetwork = 'internet' | 'private' | 'node';

/** @param nodes addresses of the cluster's nodes in the LAN */
export function clientNetworkOf(address: string, nodes: ReadonlySet<string>): ClientNetwork {
  if (nodes.has(address) || (address.startsWith('::ffff:') && nodes.has(address.slice('::ffff:'.length)))) return 'node';
  return isPrivateAddress(address) ? 'private' : 'internet';
}

const PRIVATE_FIRST_OCTETS: ReadonlySet<number> = new Set([10, 100, 127, 169, 172, 192]);

/** Whether a client is in the LAN: then the addresses of the LAN come first in its token. */
export function isPrivateAddress(address: string): boolean {
  // Asked for every request: what ipaddr.js says of IPv4, in a twentieth of the time.
  if (isIPv4(address)) {
    const dot = address.indexOf('.');
    const first = Number(address.slice(0, dot));
    if (!PRIVATE_FIRST_OCTETS.has(first)) return false;
    const second = Number(address.slice(dot + 1, address.indexOf('.', dot + 1)));
    return (
      first === 10 ||
      first === 127 ||
      (first === 192 && second === 168) ||
      (first === 172 && second >= 16 && second < 32) ||
      (first === 100 && second >= 64 && second < 128) ||
      (first === 169 && second === 254)
    );
  }
  if (!ipaddr.isValid(address)) return false;
  return ['private', 'loopback', 'linkLocal', 'uniqueLocal', 'carrierGradeNat'].includes(ipaddr.process(address).range());
}
