/**
 * Addresses that players dial, out of what the configuration names: an IP literal as it is, a host name resolved again and again, because home addresses change.
 * It deliberately resolves in the background only: making a token waits for no name server.
 */
import dns from 'node:dns';
import { isIP } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';

/** Asks for the addresses of one family. @throws with `code` ENODATA when the name has none of this family */
export type Resolve = (name: string, family: 4 | 6) => Promise<readonly string[]>;

export interface AddressBook {
  /** IPv4 first. Empty while a host name was never resolved. The same array as long as nothing changed. */
  find(addressOrName: string): readonly string[];
  /** Resolves every name that was asked for, now. */
  refresh(): Promise<void>;
  close(): void;
}

export interface AddressBookOptions {
  readonly resolve?: Resolve;
  /** Called when the addresses of a name have changed. */
  readonly onChange: () => void;
  readonly log: FastifyBaseLogger;
  /** @default 30 s, the specification's */
  readonly everyMs?: number;
}

const EVERY_MS = 30_000;
/** Of each family. A token has at most 32 addresses, and a client gives each of them some seconds of the token's life. */
const MOST_ADDRESSES = 2;

/** Node's own resolver and not getaddrinfo, whose calls would take the threads that hash passwords when a name server hangs. */
function systemResolve(): Resolve {
  const resolver = new dns.promises.Resolver({ timeout: 3_000, tries: 2 });
  return (name, family) => (family === 4 ? resolver.resolve4(name) : resolver.resolve6(name));
}

interface Entry {
  readonly families: Record<4 | 6, readonly string[]>;
  all: readonly string[];
  failing: boolean;
}

export function addressBook({ resolve = systemResolve(), onChange, log, everyMs = EVERY_MS }: AddressBookOptions): AddressBook {
  const names = new Map<string, Entry>();
  const literals = new Map<string, readonly string[]>();
  let running: Promise<void> | undefined;

  const ask = async (name: string, entry: Entry): Promise<void> => {
    let failure: Error | undefined;
    await Promise.all(
      ([4, 6] as const).map(async (family) => {
        try {
          entry.families[family] = [...new Set(await resolve(name, family))].sort().slice(0, MOST_ADDRESSES);
        } catch (error) {
          // No address of this family is an answer. Everything else, a name that is suddenly unknown too, leaves the last good answer.
          if ((error as { code?: unknown }).code === 'ENODATA') entry.families[family] = [];
          else failure = error as Error;
        }
      }),
    );
    const all = [...entry.families[4], ...entry.families[6]];
    if (failure && !entry.failing) log.warn({ err: failure, name }, 'a public address cannot be resolved; the last good answer is used');
    if (!failure && entry.failing) log.info({ name }, 'a public address can be resolved again');
    entry.failing = failure !== undefined;
    // Both families gone at once is a broken zone rather than a home without an address.
    if (all.length === 0 || all.join() === entry.all.join()) return;
    entry.all = all;
    onChange();
  };
  const refresh = (): Promise<void> => {
    running ??= Promise.all([...names].map(([name, entry]) => ask(name, entry)))
      .then(() => undefined)
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  const timer = setInterval(() => void refresh(), everyMs);
  timer.unref();
  return {
    find: (addressOrName) => {
      if (isIP(addressOrName) !== 0) {
        const literal = literals.get(addressOrName) ?? [addressOrName];
        literals.set(addressOrName, literal);
        return literal;
      }
      const known = names.get(addressOrName);
      if (known) return known.all;
      const entry: Entry = { families: { 4: [], 6: [] }, all: [], failing: false };
      names.set(addressOrName, entry);
      void ask(addressOrName, entry);
      return entry.all;
    },
    refresh,
    close: () => clearInterval(timer),
  };
}
