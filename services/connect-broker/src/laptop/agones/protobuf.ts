/**
 * Protocol buffers as far as Agones' SDK needs them: numbers, texts, messages, maps and lists of them, by field number.
 * It deliberately has no types of messages: sdk-server.ts names the fields of the public .proto files beside their use.
 */

/** Fields by number, each with its values in the order in which they came: a number's as bigint, everything else as bytes. */
export type Fields = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

const VARINT = 0;
const BYTES = 2;

/** @throws on anything but numbers and lengths, which these messages do not have */
export function decode(bytes: Uint8Array): Fields {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('A number of the message has no end.');
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const [number, type] = [key >> 3, key & 7];
    if (type !== VARINT && type !== BYTES) throw new Error(`Field ${number} of the message has the wire type ${type}.`);
    let value: bigint | Uint8Array = varint();
    if (type === BYTES) {
      const length = Number(value);
      if (at + length > bytes.length) throw new Error(`Field ${number} of the message is longer than the message.`);
      value = bytes.subarray(at, at + length);
      at += length;
    }
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

export const texts = (fields: Fields, number: number): string[] =>
  (fields.get(number) ?? []).map((value) => (typeof value === 'bigint' ? String(value) : Buffer.from(value).toString('utf8')));
/** The last one counts, as the format says; empty where there is none. */
export const text = (fields: Fields, number: number): string => texts(fields, number).at(-1) ?? '';
/** A signed number; 0 where there is none. */
export const integer = (fields: Fields, number: number): number => {
  const value = fields.get(number)?.at(-1);
  return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0;
};
/** Undefined where there is none. */
export const message = (fields: Fields, number: number): Fields | undefined => {
  const value = fields.get(number)?.at(-1);
  return value === undefined || typeof value === 'bigint' ? undefined : decode(value);
};

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** A field with a number. */
export const number = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(Math.trunc(value))]);
/** A field with a text or a message. */
export const bytes = (field: number, value: string | Uint8Array): Buffer => {
  const content = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([varint((field << 3) | BYTES), varint(content.length), content]);
};
/** A map: a message of key (1) and value (2) for each entry. */
export const map = <Value>(field: number, entries: Readonly<Record<string, Value>>, encode: (value: Value) => Buffer): Buffer =>
  Buffer.concat(Object.entries(entries).map(([key, value]) => bytes(field, Buffer.concat([bytes(1, key), encode(value)]))));
