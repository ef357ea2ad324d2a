/**
 * The list of realms held in memory as the bytes of its answers, rebuilt when something changes, and the changes themselves for those who listen.
 * It deliberately asks the database in one place, once for all requests: a request for the list costs no query and no serialisation.
 */
import { randomBytes } from 'node:crypto';
import type { Broker } from '../broker.ts';
import { populations } from '../play/population.ts';
import {
  type Currency,
  type Maintenance,
  NO_NUMBERS,
  type Numbers,
  numbersCurrency,
  type RealmEntry,
  realmEntries,
  serversCurrency,
  type WorldNumbers,
} from './document.ts';
import { strongEtag } from './etag.ts';
import { formatEvent } from './event-stream.ts';

/** An answer as it is sent. */
export interface Prebuilt {
  readonly body: Buffer;
  readonly etag: string;
}

export interface Board {
  /** The whole list. */
  list(): Prebuilt;
  /** One realm, undefined when there is none of that name. */
  realm(name: string): Prebuilt | undefined;
  /** Reads numbers and maintenance; rejects when the database is away, and the last ones stay. */
  refresh(): Promise<void>;
  /** Builds anew if servers have changed or something has grown too old. */
  look(): void;
  /** The whole list as an event. */
  snapshot(): Buffer;
  /** Events after the one with this id, oldest first; undefined when they are not known any more: then a snapshot is due. */
  since(id: string): readonly Buffer[] | undefined;
  /** Calls back with each change, as an event; returns how to stop. */
  onChange(listener: (event: Buffer) => void): () => void;
}

/** Changes that are kept for clients that come back: some minutes of a busy evening. */
const KEPT_CHANGES = 256;

const boards = new WeakMap<Broker, Board>();

/** The board of a broker; made at the first call. */
export function boardOf(broker: Broker): Board {
  let board = boards.get(broker);
  if (!board) {
    board = makeBoard(broker);
    boards.set(broker, board);
  }
  return board;
}

function prebuilt(document: unknown): Prebuilt {
  const body = Buffer.from(JSON.stringify(document));
  return { body, etag: strongEtag(body) };
}

function makeBoard(broker: Broker): Board {
  const { settings, view, database } = broker;
  // Ids of another process, or of another replica, must not be mistaken for ours.
  const stream = randomBytes(6).toString('base64url');
  let sequence = 0;
  const kept: { readonly sequence: number; readonly event: Buffer }[] = [];
  const listeners = new Set<(event: Buffer) => void>();

  let read: Numbers = NO_NUMBERS;
  let readAt: number | undefined;
  let numbers: Currency = { current: false, asOf: null };
  let servers: Currency = { current: false, asOf: null };
  let realms: RealmEntry[] = [];
  /** JSON of each entry, to find out which have changed. */
  let written: string[] = [];
  let list: Prebuilt | undefined;
  const single = new Map<string, Prebuilt>();

  const look = (): void => {
    const now = Date.now();
    const nextNumbers = numbersCurrency(readAt, now);
    const nextServers = serversCurrency(view.synced, view.ageSeconds(), now, servers);
    const nextRealms = realmEntries(settings.realms, view.world, read);
    const nextWritten = nextRealms.map((entry) => JSON.stringify(entry));
    const changed = nextRealms.filter((_entry, index) => nextWritten[index] !== written[index]);
    const same = (a: Currency, b: Currency) => a.current === b.current && a.asOf === b.asOf;
    if (list && changed.length === 0 && same(nextNumbers, numbers) && same(nextServers, servers)) return;
    [numbers, servers, realms, written] = [nextNumbers, nextServers, nextRealms, nextWritten];
    const first = list === undefined;
    list = prebuilt({ numbers, servers, realms });
    single.clear();
    if (first) return;
    sequence++;
    const event = formatEvent({ id: `${stream}.${sequence}`, event: 'change', data: { numbers, servers, realms: changed } });
    kept.push({ sequence, event });
    if (kept.length > KEPT_CHANGES) kept.shift();
    for (const listener of listeners) listener(event);
  };

  return {
    list: () => {
      if (!list) look();
      return list as Prebuilt;
    },
    realm: (name) => {
      const known = single.get(name);
      if (known) return known;
      if (!list) look();
      const entry = realms.find((realm) => realm.name === name);
      if (!entry) return undefined;
      const made = prebuilt({ numbers, servers, ...entry });
      single.set(name, made);
      return made;
    },
    refresh: async () => {
      const [counted, closed] = await Promise.all([
        populations(database),
        database.query<{ realm: string; message: string; until: Date | null }>('select realm, message, until from realm_maintenance'),
      ]);
      read = {
        worlds: new Map(counted.map((row): [string, WorldNumbers] => [row.serverId, row])),
        maintenance: new Map(closed.map(({ realm, message, until }): [string, Maintenance] => [realm, { message, until }])),
      };
      readAt = Date.now();
      look();
    },
    look,
    snapshot: () => {
      if (!list) look();
      return formatEvent({ id: `${stream}.${sequence}`, event: 'snapshot', data: { numbers, servers, realms } });
    },
    since: (id) => {
      const match = /^([A-Za-z0-9_-]+)\.([0-9]{1,15})$/.exec(id);
      const last = Number(match?.[2]);
      if (match?.[1] !== stream || last > sequence) return undefined;
      // All between must still be there.
      if (last < sequence && (kept[0]?.sequence ?? Number.POSITIVE_INFINITY) > last + 1) return undefined;
      return kept.filter((change) => change.sequence > last).map(({ event }) => event);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
