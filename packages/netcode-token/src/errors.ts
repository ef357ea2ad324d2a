/**
 * The one error of this library and the list in which mistakes are collected. Deliberately without codes or subclasses: a caller tells
 * mistakes apart by the name of the field.
 */

/** One mistake: where it is, and a sentence that says what is wrong and what would be right. Never holds key material or token bytes. */
export interface NetcodeTokenProblem {
  /** The option or the field of the token, such as `lifetimeSeconds` or `publicAddresses[1]`. */
  readonly field: string;
  /** What is wrong with it, the value where it is no secret, and what would be right. */
  readonly problem: string;
}

/** The only error that functions of this library throw, for wrong options as well as for bytes that are no token. */
export class NetcodeTokenError extends Error {
  override readonly name = 'NetcodeTokenError';
  /** Field of the first mistake. */
  readonly field: string;
  /** Sentence about the first mistake. */
  readonly problem: string;
  /** Every mistake found, in the order of the fields; a decoder stops at its first one. */
  readonly problems: readonly NetcodeTokenProblem[];

  constructor(problems: readonly [NetcodeTokenProblem, ...NetcodeTokenProblem[]]) {
    const lines = problems.map(({ field, problem }) => `${field}: ${problem}`);
    super(lines.length === 1 ? lines[0] : `${lines.length} mistakes:\n${lines.map((line) => `- ${line}`).join('\n')}`);
    this.field = problems[0].field;
    this.problem = problems[0].problem;
    this.problems = problems;
  }
}

/** An error about one field. */
export function problemAt(field: string, problem: string): NetcodeTokenError {
  return new NetcodeTokenError([{ field, problem }]);
}

/** Collects mistakes, so that all of them can be told at once. */
export class Problems {
  readonly #list: NetcodeTokenProblem[] = [];

  /** Notes a mistake; returns undefined, so that a reader can end with `return problems.add(…)`. */
  add(field: string, problem: string): undefined {
    this.#list.push({ field, problem });
  }

  /** Throws one error with all that was noted, if anything was. */
  throwIfAny(): void {
    const [first, ...others] = this.#list;
    if (first) throw new NetcodeTokenError([first, ...others]);
  }
}

/** A value for an error message: short, on one line, and never the content of bytes or objects. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'bigint') {
    const text = value.toString();
    return text.length > 40 ? `a number of ${text.length} digits` : text;
  }
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null) return String(value);
  if (isBytes(value)) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** True for a Uint8Array (so also for a Buffer), of whichever realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]';
}
