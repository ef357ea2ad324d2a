/**
 * IPv4 addresses, ranges and CIDR blocks as numbers, so that overlaps can be computed.
 * It deliberately is not a network library: parsing is `ipaddr.js`'s, only set arithmetic on ranges is added.
 */
import ipaddr from 'ipaddr.js';

/** Private networks (RFC 1918). Not 100.64.0.0/10, which providers share between their customers. */
export const PRIVATE_NETWORKS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] as const;

/** An inclusive range of IPv4 addresses as unsigned 32-bit numbers. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** Whether the text is one IPv4 address in dotted-decimal form with four parts (so not `10.1`). */
export function isIPv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

/** The address as an unsigned 32-bit number. Throws when it is not a dotted-decimal IPv4 address. */
export function toNumber(address: string): number {
  if (!isIPv4(address)) throw new Error(`'${address}' is not an IPv4 address in dotted-decimal form.`);
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The dotted-decimal form of an unsigned 32-bit number. */
export function fromNumber(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/**
 * Reads `192.168.1.240-192.168.1.254` or `192.168.1.0/24`.
 * Returns a sentence that says what is wrong instead of throwing, so that callers can collect mistakes.
 */
export function parseRange(text: string): AddressRange | string {
  const dash = text.split('-').map((part) => part.trim());
  if (dash.length === 2) {
    const [from = '', to = ''] = dash;
    if (!isIPv4(from) || !isIPv4(to)) return `'${text}' is not a range of IPv4 addresses; write it as '192.168.1.240-192.168.1.254'.`;
    const range = { first: toNumber(from), last: toNumber(to) };
    if (range.first > range.last) return `'${text}' ends before it begins; write it as '${to}-${from}'.`;
    return range;
  }
  const [base = '', prefix = ''] = text.split('/');
  if (!isIPv4(base) || !/^([0-9]|[12][0-9]|3[0-2])$/.test(prefix)) {
    return `'${text}' is neither a range ('192.168.1.240-192.168.1.254') nor a CIDR block ('192.168.1.0/24').`;
  }
  const size = 2 ** (32 - Number(prefix));
  const address = toNumber(base);
  const first = Math.floor(address / size) * size;
  if (first !== address) return `'${text}' has host bits set; did you mean '${fromNumber(first)}/${prefix}'?`;
  return { first, last: first + size - 1 };
}

/** Whether the range contains the address. */
export function contains(range: AddressRange, address: string): boolean {
  const value = toNumber(address);
  return value >= range.first && value <= range.last;
}

/** Whether two ranges share an address. */
export function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}
