/**
 * The short forms in which lists are answered (`node-1=192.168.1.11,node-2=…`), and addresses of the LAN to propose.
 * It deliberately judges no name and no address; the model does.
 */
import { contains, fromNumber, isIPv4, parseRange } from '../model/addresses';
import type { Answers, QuestionId } from './questions';

export interface MapEntry {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads `NAME=VALUE,NAME=VALUE`.
 * @param form how messages name the form
 * @param example of a whole answer
 */
export function parseMap(
  answer: string,
  form = 'NAME=VALUE',
  example = '',
): { readonly entries: readonly MapEntry[]; readonly mistake?: string } {
  const parts = splitList(answer).map((part) => part.split('=').map((each) => each.trim()));
  const wrong = parts.find((part) => part.length !== 2 || part.some((each) => each === ''));
  const entries = parts.map(([name = '', value = '']) => ({ name, value }));
  if (wrong || parts.length === 0)
    return { entries, mistake: `'${wrong ? wrong.join('=') : answer}' is not ${form}; write it as '${example}'.` };
  return { entries };
}

/** Reads `a,b, c`; nothing for an empty text. */
export function splitList(answer: string, separator = ','): string[] {
  return answer
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** The upper end of the first node's /24, where few routers give out addresses; lower where a node is there. */
export function proposedPool(nodes: readonly string[]): string | undefined {
  const [first] = nodes;
  if (first === undefined || !isIPv4(first)) return undefined;
  const prefix = first.split('.').slice(0, 3).join('.');
  return ['240', '224', '208', '192', '176']
    .map((begin) => `${prefix}.${begin}-${prefix}.${Number(begin) + 14}`)
    .find((text) => {
      const range = parseRange(text);
      return typeof range !== 'string' && !nodes.some((node) => isIPv4(node) && contains(range, node));
    });
}

/** Addresses of the pool that these answers have not taken, in order. Empty where the pool is none. */
export function freeAddresses(answers: Answers, taken: readonly QuestionId[]): string[] {
  const range = parseRange(answers.pool ?? '');
  if (typeof range === 'string') return [];
  const used = new Set(taken.map((id) => answers[id]));
  // No home has more worlds than this; a pool may be a /16.
  const last = Math.min(range.last, range.first + 1023);
  return Array.from({ length: last - range.first + 1 }, (_, index) => fromNumber(range.first + index)).filter(
    (address) => !used.has(address),
  );
}
