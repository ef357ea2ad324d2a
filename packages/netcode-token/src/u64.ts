/**
 * Unsigned 64-bit numbers as text and as bigint: protocol ids, client ids, timestamps. Deliberately never a JavaScript number, which is
 * damaged above 2^53.
 */
import { randomFillSync } from 'node:crypto';
import { describe, Problems, problemAt } from './errors.ts';

/** The largest unsigned 64-bit number. */
export const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** Notes a mistake unless `value` is a bigint of 0..2^64-1. */
export function readU64(value: unknown, field: string, problems: Problems): bigint | undefined {
  if (typeof value !== 'bigint') {
    const hint = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? `, such as ${value}n` : ', such as 42n';
    return problems.add(field, `${describe(value)} is no bigint; write an unsigned 64-bit number${hint}, or read text with parseU64.`);
  }
  if (value < 0n || value > MAX_U64)
    return problems.add(field, `${describe(value)} does not fit into 64 bits; it must be 0 to ${MAX_U64} (2^64 - 1).`);
  return value;
}

/**
 * Reads a decimal number of 0..2^64-1, as these are written in JSON: digits only, without leading zeros.
 * @param field what an error calls the value
 * @throws NetcodeTokenError for anything else, JavaScript numbers included
 */
export function parseU64(text: string, field = 'value'): bigint {
  if (typeof text !== 'string' || !/^(0|[1-9][0-9]{0,19})$/.test(text))
    throw problemAt(field, `${describe(text)} is not a decimal number of 0 to ${MAX_U64} in a string, such as "1311768467463790320".`);
  return inRange(BigInt(text), field);
}

/**
 * Reads a protocol id as configurations write it: `0x` and one to sixteen hexadecimal digits, or decimal digits without leading zeros.
 * @throws NetcodeTokenError for anything else, JavaScript numbers included
 */
export function parseProtocolId(text: string): bigint {
  const field = 'protocolId';
  if (typeof text !== 'string' || !/^(0x[0-9a-fA-F]{1,16}|0|[1-9][0-9]{0,19})$/.test(text))
    throw problemAt(
      field,
      `${describe(text)} is not an unsigned 64-bit number in a string; write it in hexadecimal, such as "0x4d4d4f0000000001", or in decimal.`,
    );
  return inRange(BigInt(text), field);
}

/**
 * A protocol id as `0x` and sixteen hexadecimal digits, which `parseProtocolId` reads.
 * @throws NetcodeTokenError when it is no unsigned 64-bit number
 */
export function formatProtocolId(protocolId: bigint): string {
  const problems = new Problems();
  readU64(protocolId, 'protocolId', problems);
  problems.throwIfAny();
  return `0x${protocolId.toString(16).padStart(16, '0')}`;
}

/**
 * A random client id. Every token should have a fresh one: a server ignores a client id that is still connected, so a player who comes
 * back with the old id waits for the old connection to time out. Never 0, which some games take for "none".
 */
export function randomClientId(): bigint {
  for (;;) {
    const id = randomFillSync(new BigUint64Array(1))[0];
    if (id) return id;
  }
}

function inRange(value: bigint, field: string): bigint {
  if (value > MAX_U64) throw problemAt(field, `${value} does not fit into 64 bits; the largest is ${MAX_U64} (2^64 - 1).`);
  return value;
}
