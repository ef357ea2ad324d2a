/**
 * Addresses and networks as an operator writes them: read, put into one form, and judged for how many people they are.
 * It deliberately asks no database; whether somebody is banned is `active_ban` (migrations/002).
 */
import ipaddr from 'ipaddr.js';

/** A network wider than this is somebody's mistake, or half the Internet: it is refused unless it is forced. */
export const WIDEST_BAN = { ipv4: 8, ipv6: 32 } as const;

/** What one household has of IPv6, so a ban of a single address would last until the next one is taken. */
const HOUSEHOLD_PREFIX = 64;

export interface Network {
  /** As PostgreSQL's cidr writes it: `203.0.113.7/32`, `2001:db8:1:2::/64`. */
  readonly cidr: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefix: number;
}

/**
 * Reads `203.0.113.7`, `203.0.113.0/24`, `2001:db8::1` or `2001:db8::/48`. A bare IPv6 address is its /64. IPv4 inside IPv6 (`::ffff:203.0.113.7`, `::ffff:203.0.113.0/120`) is IPv4.
 * @throws an Error whose message says what is wrong with the text and what would be right
 */
export function readNetwork(text: string): Network {
  const [address = '', prefixText, ...rest] = text.trim().split('/');
  const wrong = (what: string) => new Error(`'${text}' ${what}`);
  // ipaddr.js also reads 127.1 and 0x7f.1, which nobody means.
  if (rest.length > 0 || !(ipaddr.IPv4.isValidFourPartDecimal(address) || (address.includes(':') && ipaddr.IPv6.isValid(address)))) {
    throw wrong('is no address or network; write it as 203.0.113.7, 203.0.113.0/24, 2001:db8::1 or 2001:db8::/48.');
  }
  if (address.includes('%')) throw wrong('has a zone (%), which means something on one machine only; leave it out.');
  let parsed = ipaddr.parse(address);
  const bits = parsed.kind() === 'ipv4' ? 32 : 128;
  if (prefixText !== undefined && !(/^(0|[1-9][0-9]{0,2})$/.test(prefixText) && Number(prefixText) <= bits)) {
    throw wrong(`has the length '${prefixText}'; for this kind of address it is a number from 0 to ${bits}.`);
  }
  let prefix = prefixText === undefined ? undefined : Number(prefixText);
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() && (prefix === undefined || prefix >= 96)) {
    parsed = parsed.toIPv4Address();
    prefix = prefix === undefined ? 32 : prefix - 96;
  }
  const family = parsed.kind();
  prefix ??= family === 'ipv4' ? 32 : HOUSEHOLD_PREFIX;
  const bytes = parsed.toByteArray().map((byte, index) => byte & (0xff << Math.max(0, Math.min(8, 8 - (prefix - index * 8)))) & 0xff);
  const first = ipaddr.fromByteArray(bytes);
  if (prefixText !== undefined && first.toNormalizedString() !== parsed.toNormalizedString()) {
    throw wrong(`has bits set behind its /${prefix}; the network is ${first.toString()}/${prefix}.`);
  }
  return { cidr: `${first.toString()}/${prefix}`, family, prefix };
}

/** Whether a network is wider than a ban should be. */
export const isTooWide = ({ family, prefix }: Network): boolean => prefix < WIDEST_BAN[family];

/** Whether an address, as a socket or a proxy tells it, lies in a network. */
export function networkContains({ cidr, family }: Network, address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.kind() !== family) return false;
  const [network, prefix] = ipaddr.parseCIDR(cidr);
  return parsed.match(network, prefix);
}
