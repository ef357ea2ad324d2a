/**
 * Names of Services in the cluster's DNS, as texts of configuration mention them: `http://broker.connect-broker.svc.cluster.local:8081/x`.
 * It deliberately finds only full names: `broker` alone may mean anything.
 */
import { containersOf, type PodContainer } from './pods';
import type { PodTemplate } from './types';

export interface ServiceAddress {
  /** As the text says it, without scheme and path. */
  readonly text: string;
  readonly namespace: string;
  readonly name: string;
  /** Undefined when the text says none; a scheme does not count. */
  readonly port?: number;
}

const ADDRESS = /([a-z0-9]([-a-z0-9]*[a-z0-9])?)\.([a-z0-9]([-a-z0-9]*[a-z0-9])?)\.svc\b(?:\.cluster\.local)?(?::([0-9]+))?/g;

/** By text: every world's configuration names the same few addresses, and several checks ask. */
const known = new Map<string, readonly ServiceAddress[]>();

/** The addresses in a text, in its order. Anything but a text has none. */
export function serviceAddresses(text: unknown): readonly ServiceAddress[] {
  if (typeof text !== 'string' || !text.includes('.svc')) return [];
  let addresses = known.get(text);
  if (!addresses) {
    addresses = [...text.matchAll(ADDRESS)].map(([address, name = '', , namespace = '', , port]) => ({
      text: address,
      namespace,
      name,
      ...(port === undefined ? {} : { port: Number(port) }),
    }));
    known.set(text, addresses);
  }
  return addresses;
}

/** A text of a pod template that can name an address. */
export interface ContainerText {
  readonly field: string;
  readonly text: string;
}

/** Values of environment variables, commands and arguments that name an address. */
export function addressTexts(template: PodTemplate): ContainerText[] {
  return containersOf(template).flatMap(containerTexts);
}

function containerTexts({ path, spec }: PodContainer): ContainerText[] {
  const found: ContainerText[] = [];
  for (const { name, value } of (spec.env ?? []) as { name: string; value?: string }[]) {
    if (value?.includes('.svc')) found.push({ field: `${path}.env[${name}].value`, text: value });
  }
  for (const field of ['command', 'args'] as const) {
    for (const text of (spec[field] ?? []) as string[]) if (text.includes('.svc')) found.push({ field: `${path}.${field}`, text });
  }
  return found;
}

/** Visits every text within a value, such as a chart's values. */
export function visitTexts(value: unknown, at: string, visit: (field: string, text: string) => void): void {
  if (typeof value === 'string') visit(at, value);
  else if (Array.isArray(value)) value.forEach((item, index) => void visitTexts(item, `${at}[${index}]`, visit));
  else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) visitTexts(item, `${at}.${key}`, visit);
  }
}
