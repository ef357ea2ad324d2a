/**
 * Values themselves, by how they come to be: makes them, brings given ones into the form in which they are sealed, and says what is wrong with one.
 * It deliberately keeps none, and no sentence of it quotes one.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { SecretsError } from './sealing';
import type { SecretKey } from './spec';

/** What there is to know of a value before it exists. */
export interface ValueNeed {
  /** `SecretKey.value` */
  readonly identity: string;
  readonly source: SecretKey['source'];
}

/** How a value comes to be, as the end of a sentence that begins with "is". */
export function describeSource(source: SecretKey['source']): string {
  return 'ask' in source ? `${howMade(source)} (${source.ask})` : howMade(source);
}

/** The same without what is asked. */
export function howMade(source: SecretKey['source']): string {
  if ('literal' in source) return `fixed as '${source.literal}'`;
  return 'ask' in source ? 'asked for' : GENERATED[source.generate].description;
}

type Generated = Extract<SecretKey['source'], { generate: unknown }>['generate'];

const GENERATED: Readonly<
  Record<
    Generated,
    { readonly description: string; readonly make: (length: number) => Buffer; readonly problem: (value: Buffer) => string | undefined }
  >
> = {
  password: { description: 'a generated password', make: password, problem: textProblem },
  'random-32-bytes': {
    description: 'generated as 32 random bytes',
    make: randomBytes,
    problem: (value) => (value.length === 32 ? undefined : `has ${value.length} bytes; it must be exactly 32 raw bytes`),
  },
  'random-32-bytes-hex': {
    description: 'generated as 32 random bytes in hexadecimal',
    make: (length) => Buffer.from(randomBytes(length).toString('hex')),
    problem: (value) => (/^[0-9a-f]{64}$/.test(value.toString('latin1')) ? undefined : `must be 64 hexadecimal digits in lower case`),
  },
};

/** Default length of what is generated: characters of a password (190 bits), or bytes. */
const DEFAULT_LENGTH = 32;

/**
 * Makes a value.
 * @param length characters of a password (16 to 1024), or bytes, which must be the source's 32
 * @throws SecretsError for another length, and for a value whose text is fixed
 */
export function makeValue({ identity, source }: ValueNeed, length = DEFAULT_LENGTH): Buffer {
  if ('literal' in source) return Buffer.from(source.literal);
  const kind: Generated = 'generate' in source ? source.generate : 'password';
  const [least, most] = kind === 'password' ? [16, 1024] : [32, 32];
  if (!Number.isInteger(length) || length < least || length > most) {
    const range = least === most ? `exactly ${least} bytes` : `${least} to ${most} characters`;
    throw new SecretsError([`A length of ${length} is wrong for '${identity}'; it must be ${range}.`]);
  }
  return GENERATED[kind].make(length);
}

/** What is wrong with a value as it is sealed, as the end of a sentence that begins with the value's name; undefined when nothing is. */
export function valueProblem({ source }: ValueNeed, value: Buffer): string | undefined {
  if ('literal' in source) return value.toString('utf8') === source.literal ? undefined : 'is not the text that its component fixes';
  return GENERATED['generate' in source ? source.generate : 'password'].problem(value);
}

/**
 * Brings a given value into the form in which it is sealed, or says why it cannot be.
 * Texts lose one line feed at their end: editors and `echo` add it, and no password or token has it.
 * @throws SecretsError, which never quotes the value
 */
export function acceptValue({ identity, source }: ValueNeed, given: Buffer): Buffer {
  const kind: Generated = 'generate' in source ? source.generate : 'password';
  const value = kind === 'random-32-bytes' ? given : withoutLineEnd(given);
  const problem = GENERATED[kind].problem(value) ?? (kind === 'random-32-bytes' ? undefined : slipProblem(value.toString('utf8')));
  if (problem) throw new SecretsError([`The value for '${identity}' ${problem}.`]);
  return value;
}

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits only, so that no shell, URL or configuration format needs to quote it. */
function password(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => LETTERS_AND_DIGITS[randomInt(LETTERS_AND_DIGITS.length)]).join(''));
}

function textProblem(value: Buffer): string | undefined {
  if (value.length === 0) return 'is empty';
  return value.equals(Buffer.from(value.toString('utf8'))) ? undefined : 'is not text in UTF-8';
}

/** What nobody sees in a value that does not echo, and what only the service that gets it would refuse. */
function slipProblem(text: string): string | undefined {
  if (/[\r\n]/.test(text)) return 'has more than one line; give exactly one';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'has control characters in it, as arrow keys and Ctrl leave them; type or paste it again';
  return /^\s|\s$/.test(text) ? 'begins or ends with white space, which no password or token has' : undefined;
}

function withoutLineEnd(value: Buffer): Buffer {
  if (value.at(-1) !== 0x0a) return value;
  return value.subarray(0, value.at(-2) === 0x0d ? -2 : -1);
}
