/**
 * Addresses of game servers: an IP literal and a UDP port, as text and as octets. Deliberately no host names (a token carries addresses
 * only: resolve first), and no bytes of the token, which are wire.ts's.
 */
import { describe, Problems } from './errors.ts';

/** Where a game server is, or is known as. */
export interface SocketAddress {
  readonly family: 'IPv4' | 'IPv6';
  /** In its canonical form: `203.0.113.7`, or RFC 5952 for IPv6 (`2001:db8::1`, `::ffff:192.0.2.1`), without brackets. */
  readonly ip: string;
  /** 1..65535 */
  readonly port: number;
}

/** What functions of this library take for an address: text with port (`203.0.113.7:7777`, `[2001:db8::1]:7777`), or both apart. */
export type AddressInput = string | { readonly ip: string; readonly port: number };

/** An address as the encoder needs it: four or sixteen octets in reading order. */
export interface PackedAddress {
  readonly octets: Uint8Array;
  readonly port: number;
}

/**
 * Reads an IP literal with a port: `203.0.113.7:7777` or `[2001:db8::1]:7777`.
 * @param field what an error calls the value
 * @throws NetcodeTokenError for host names, a missing port, port 0, octets with leading zeros, IPv6 without brackets or with a zone id
 */
export function parseAddress(text: string, field = 'address'): SocketAddress {
  const problems = new Problems();
  const packed =
    typeof text === 'string' ? readAddressText(text, field, problems) : problems.add(field, `${describe(text)} is no string; ${EXAMPLE}.`);
  problems.throwIfAny();
  return unpackAddress(packed as PackedAddress);
}

/**
 * Writes an address with its port, IPv6 in brackets: what `parseAddress` reads.
 * @throws NetcodeTokenError when `ip` or `port` is none
 */
export function formatAddress(address: { readonly ip: string; readonly port: number }): string {
  const problems = new Problems();
  const packed = readAddress(address, 'address', problems);
  problems.throwIfAny();
  const { family, ip, port } = unpackAddress(packed as PackedAddress);
  return family === 'IPv4' ? `${ip}:${port}` : `[${ip}]:${port}`;
}

/** Notes mistakes, or returns octets and port. */
export function readAddress(input: unknown, field: string, problems: Problems): PackedAddress | undefined {
  if (typeof input === 'string') return readAddressText(input, field, problems);
  if (typeof input !== 'object' || input === null) return problems.add(field, `${describe(input)} is no address; ${EXAMPLE}.`);
  const { ip, port } = input as { ip?: unknown; port?: unknown };
  const octets =
    typeof ip === 'string'
      ? readIp(ip, `${field}.ip`, problems)
      : problems.add(`${field}.ip`, `${describe(ip)} is no string; ${EXAMPLE_IP}.`);
  const validPort =
    typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535
      ? port
      : problems.add(`${field}.port`, `${describe(port)} is no UDP port; it must be 1 to 65535.`);
  return octets && validPort ? { octets, port: validPort } : undefined;
}

/** The address of octets in reading order. */
export function unpackAddress({ octets, port }: PackedAddress): SocketAddress {
  return octets.length === 4 ? { family: 'IPv4', ip: octets.join('.'), port } : { family: 'IPv6', ip: formatIpv6(octets), port };
}

/** True for ::ffff:0:0/96, an IPv4 address in IPv6's clothes. */
export function isIpv4Mapped(octets: Uint8Array): boolean {
  return octets.length === 16 && octets[10] === 0xff && octets[11] === 0xff && octets.subarray(0, 10).every((octet) => octet === 0);
}

const EXAMPLE = 'write an IP address with its UDP port, such as "203.0.113.7:7777" or "[2001:db8::1]:7777"';
const DOT = 0x2e;
const ZERO = 0x30;
const EXAMPLE_IP = 'write an IP address such as "203.0.113.7" or "2001:db8::1"';

function readAddressText(text: string, field: string, problems: Problems): PackedAddress | undefined {
  const told = describe(text);
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  const colon = text.lastIndexOf(':');
  if (!bracketed && text.indexOf(':') !== colon && !/[^0-9a-fA-F:.%]/.test(text.split('%')[0] ?? ''))
    return problems.add(field, `${told} is IPv6 without brackets, so its port cannot be told; ${EXAMPLE}.`);
  const host = bracketed ? (bracketed[1] ?? '') : colon < 0 ? text : text.slice(0, colon);
  const portText = bracketed ? bracketed[2] : colon < 0 ? undefined : text.slice(colon + 1);
  if (bracketed && !host.includes(':')) return problems.add(field, `${told} has brackets around what is not IPv6; ${EXAMPLE}.`);
  const octets = readIp(host, field, problems, text);
  if (!octets) return undefined;
  if (portText === undefined) return problems.add(field, `${told} has no port; ${EXAMPLE}.`);
  const port = Number(portText);
  if (!/^[1-9][0-9]{0,4}$/.test(portText) || port > 65535)
    return problems.add(field, `${told} has no valid port; it must be 1 to 65535, in digits without leading zeros.`);
  return { octets, port };
}

function readIp(text: string, field: string, problems: Problems, whole = text): Uint8Array | undefined {
  const octets = text.includes('%') ? undefined : text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  if (octets) return octets;
  const told = describe(whole);
  if (text.includes('%'))
    return problems.add(
      field,
      `${told} has a zone id, which a token cannot carry and another machine cannot use; write an address without "%".`,
    );
  if (/^\d+(\.\d+){3}$/.test(text) && text.split('.').some((part) => part.length > 1 && part.startsWith('0')))
    return problems.add(field, `${told} has an octet with a leading zero, which some programs read as octal; write it without.`);
  if (/[a-zA-Z]/.test(text) && !text.includes(':'))
    return problems.add(field, `${told} is a host name, which a token cannot carry; resolve it first and write the IP address.`);
  return problems.add(field, `${told} holds no IP address; ${EXAMPLE}.`);
}

/** Four decimal octets without leading zeros. Digit by digit: every token has some. */
function parseIpv4(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(4);
  let octet = 0;
  let value = 0;
  let digits = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : DOT;
    if (code === DOT) {
      if (digits === 0 || octet === 4) return undefined;
      octets[octet++] = value;
      value = 0;
      digits = 0;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return undefined;
    value = value * 10 + digit;
    digits++;
    if (value > 255) return undefined;
  }
  return octet === 4 ? octets : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const before = parseGroups(halves[0] ?? '', halves.length === 1);
  const after = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (!before || !after) return undefined;
  const length = before.length + after.length;
  // "::" stands for at least one group.
  if (halves.length === 1 ? length !== 16 : length > 14) return undefined;
  const octets = new Uint8Array(16);
  octets.set(before);
  octets.set(after, 16 - after.length);
  return octets;
}

/** Octets of groups between colons; the last one may be an IPv4 address where the whole text ends with it. */
function parseGroups(text: string, mayEndWithIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const octets: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const ipv4 = mayEndWithIpv4 && index === groups.length - 1 ? parseIpv4(group) : undefined;
      if (!ipv4) return undefined;
      octets.push(...ipv4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const word = Number.parseInt(group, 16);
      octets.push(word >> 8, word & 0xff);
    }
  }
  return octets;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::", IPv4-mapped addresses dotted. */
function formatIpv6(octets: Uint8Array): string {
  if (isIpv4Mapped(octets)) return `::ffff:${octets.subarray(12).join('.')}`;
  const words: number[] = [];
  for (let index = 0; index < 16; index += 2) words.push(((octets[index] ?? 0) << 8) | (octets[index + 1] ?? 0));
  let start = 0;
  let longest = 1;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && words[to] === 0) to++;
    if (to - from > longest) [start, longest] = [from, to - from];
  }
  const hex = (part: readonly number[]) => part.map((word) => word.toString(16)).join(':');
  return longest === 1 ? hex(words) : `${hex(words.slice(0, start))}::${hex(words.slice(start + longest))}`;
}
