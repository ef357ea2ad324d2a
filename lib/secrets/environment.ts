/**
 * What sealing has from outside: the project's folder, what its clusters need, and the person who may sit there. Tests give their own.
 * It deliberately is an interface only; commands/seal.ts makes the project's own.
 */
import type { SecretSpec, SecretStore } from './spec';

export interface SealEnvironment {
  /** The project's root: secrets/ and .keys/ are below it. */
  readonly root: string;
  readonly clusters: readonly string[];
  /** @param raised realm or content type whose netcode key is needed in its next generation as well */
  readonly needed: (clusterName: string, store: SecretStore, raised?: string) => readonly SecretSpec[];
  /** Who refers to a Secret, by `<namespace>/<name>`, such as `StatefulSet eldermoor`. */
  readonly users: (clusterName: string, store: SecretStore) => ReadonlyMap<string, readonly string[]>;
  /** Whether a person sits there. */
  readonly interactive: boolean;
  /** All of standard input. */
  readonly readInput: () => Promise<Buffer>;
  /** Asks without an echo. */
  readonly ask: (question: string) => Promise<string>;
  /** An environment variable; undefined when it is not set. */
  readonly variable: (name: string) => string | undefined;
  /** The day now, in UTC, as `2026-11-22`. */
  readonly today: () => string;
  /** Bits of a new sealing key. @default 4096 */
  readonly keyBits?: number;
}
