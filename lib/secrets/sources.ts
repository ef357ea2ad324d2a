/**
 * Where the value of a step comes from: made, fixed, from a file, from answers, from standard input or from a person.
 * It deliberately decides nothing about where it is sealed.
 */
import { readFile } from './answers-file';
import type { SealEnvironment } from './environment';
import type { Step } from './plan';
import { SecretsError } from './sealing';
import { acceptValue, makeValue } from './values';

/** A value and how it came to be, as the end of a sentence. */
export interface Given {
  readonly how: string;
  readonly plaintext: Buffer;
}

/** Gives the value of a step, or undefined when nobody can give it now. */
export type Give = (step: Step) => Promise<Given | undefined>;

type Person = Pick<SealEnvironment, 'interactive' | 'ask' | 'readInput'>;

export interface SingleOptions {
  /** Length to make it with. */
  readonly generate?: number | undefined;
  readonly fromFile?: string | undefined;
  /** Make it without being told to where it can be made. @default false */
  readonly makeIfPossible?: boolean;
}

/** For one value: as the options say, or else from a person or standard input. */
export function singleSource({ generate, fromFile, makeIfPossible = false }: SingleOptions, person: Person): Give {
  return async (step) => {
    const { value } = step;
    if (generate !== undefined) return { how: 'made new', plaintext: makeValue(value, generate) };
    if (fromFile !== undefined) return { how: `taken from ${fromFile}`, plaintext: acceptValue(value, readFile(fromFile)) };
    if (makeIfPossible && 'generate' in value.source) return { how: 'made new', plaintext: makeValue(value) };
    if (person.interactive) return fromTerminal(step, person, 'now');
    return { how: 'taken from standard input', plaintext: acceptValue(value, await person.readInput()) };
  };
}

export interface SeveralOptions {
  /** Values that a person gave beforehand, by identity. */
  readonly answers: ReadonlyMap<string, Buffer>;
  /** How messages name them. */
  readonly answersPlace: string;
  /** Values by identity that the private key opened in another of their places. @default none */
  readonly known?: ReadonlyMap<string, Buffer>;
  /** Random text in place of what a person would have to give; for examples only. */
  readonly placeholders: boolean;
}

/**
 * For all values that are missing: the same as in their other places where that is known, made or fixed where that is possible, else out of the answers, else from a person.
 * Giving a value throws SecretsError when an answer is another one than is sealed for the other places: copies of a value are equal.
 */
export function severalSource({ answers, answersPlace, known, placeholders }: SeveralOptions, person: Omit<Person, 'readInput'>): Give {
  return async (step) => {
    const { value } = step;
    if ('literal' in value.source) return { how: 'fixed by its component', plaintext: makeValue(value) };
    const answer = answers.get(value.identity);
    const sealed = known?.get(value.identity);
    if (sealed !== undefined && answer?.equals(sealed) === false) {
      throw new SecretsError([
        `${answersPlace}: the value of '${value.identity}' is another one than is sealed for its other places. Leave it out, and they get the same; or change it in all of them: --rotate ${value.identity}`,
      ]);
    }
    if (sealed !== undefined) return { how: 'the same as is sealed for its other places', plaintext: sealed };
    if ('generate' in value.source) return { how: 'made new', plaintext: makeValue(value) };
    if (answer !== undefined) return { how: `taken from ${answersPlace}`, plaintext: answer };
    if (placeholders) return { how: 'a placeholder, random text', plaintext: makeValue(value) };
    return person.interactive ? fromTerminal(step, person, 'may wait') : undefined;
  };
}

/** How often a person may try: somebody whose paste is wrong thrice has the wrong thing to paste. */
const TRIES = 3;

/** Asks again when a value is refused: nobody sees what was typed, and what was typed before it should not be lost. */
async function fromTerminal(step: Step, person: Pick<Person, 'ask'>, when: 'now' | 'may wait'): Promise<Given | undefined> {
  const question = when === 'now' ? questionOf(step) : questionOf(step).replace(/: $/, ' (Enter: later): ');
  let before = '';
  for (let tried = 1; ; tried++) {
    const text = await person.ask(`${before}${question}`);
    if (when === 'may wait' && text === '') return undefined;
    try {
      return { how: 'taken from the terminal', plaintext: acceptValue(step.value, Buffer.from(text)) };
    } catch (error) {
      if (!(error instanceof SecretsError) || tried === TRIES) throw error;
      before = `${error.message}\n`;
    }
  }
}

/** The question for a value. */
export function questionOf({ value, seal: places }: Step): string {
  const others = value.places.length - places.length;
  const same = others === 0 ? '' : `, the same as is sealed for ${others} other place${others === 1 ? '' : 's'}`;
  return `${value.identity}${'ask' in value.source ? ` (${value.source.ask})` : ''}${same}: `;
}
