/**
 * The list of realms as players see it: what servers are there, joined with who plays and waits on them.
 * It deliberately is a pure function of what it is given; who keeps it up to date is `board.ts`.
 */
import { MAX_VIEW_AGE_SECONDS, type WorldServer, worldServerId } from '../discovery/view.ts';
import type { Settings } from '../settings.ts';

/** In the order in which a realm takes the best of its continents'. */
export const REALM_STATUSES = ['online', 'full', 'starting', 'asleep', 'draining', 'offline', 'maintenance'] as const;
/**
 * `online`: there is room. `full`: one has to wait. `starting`: a server is on its way up. `asleep`: none runs; it starts when somebody connects.
 * `draining`: nobody new is let in, a stop is near. `offline`: nothing is there. `maintenance`: closed by an operator.
 */
export type RealmStatus = (typeof REALM_STATUSES)[number];

/** What is read of the database for one world; counts of places, see src/play/population.ts. */
export interface WorldNumbers {
  readonly reserved: number;
  readonly active: number;
  readonly held: number;
  readonly queued: number;
  /** Whether the server takes newcomers; undefined when it has not reported lately. */
  readonly accepting: boolean | undefined;
  /** The pod that said so. @default none has */
  readonly podUid?: string | undefined;
}

export interface Maintenance {
  readonly message: string;
  readonly until: Date | null;
}

/** What was read of the database at one moment. */
export interface Numbers {
  readonly worlds: ReadonlyMap<string, WorldNumbers>;
  /** By realm. */
  readonly maintenance: ReadonlyMap<string, Maintenance>;
}

export interface ContinentEntry {
  name: string;
  title: string;
  status: RealmStatus;
  /** Players in the world now. */
  players: number;
  /** Places, of which some may be reserved or held for players who just lost their connection. */
  capacity: number;
  /** Players who wait. */
  queue: number;
}

export interface RealmEntry extends ContinentEntry {
  /** Why it is closed and until about when; null unless the status is `maintenance`. */
  maintenance: { message: string; until: string | null } | null;
  continents: ContinentEntry[];
}

/** Whether something is up to date; `asOf` says since when it is not (null while it is, and when it never was known). */
export interface Currency {
  current: boolean;
  asOf: string | null;
}

export interface RealmsDocument {
  /** Players and queues: not current when the database is away. */
  numbers: Currency;
  /** Statuses: not current when the broker has lost touch with the servers for more than five minutes. */
  servers: Currency;
  realms: RealmEntry[];
}

export const NO_NUMBERS: Numbers = { worlds: new Map(), maintenance: new Map() };

function continentStatus(world: WorldServer | undefined, numbers: WorldNumbers | undefined, capacity: number): RealmStatus {
  switch (world?.phase) {
    case undefined:
    case 'missing':
      return 'offline';
    case 'asleep':
      return 'asleep';
    case 'starting':
      return 'starting';
    case 'stopping':
      return 'draining';
    case 'ready':
      // What the pod before this one said, it said of its own end.
      if (numbers?.accepting === false && numbers.podUid === world.identity?.podUid) return 'draining';
      return numbers && (numbers.queued > 0 || numbers.reserved + numbers.active + numbers.held >= capacity) ? 'full' : 'online';
  }
}

/** The entries of all realms, in the order of the configuration. */
export function realmEntries(
  realms: Settings['realms'],
  world: (realm: string, continent: string) => WorldServer | undefined,
  numbers: Numbers,
): RealmEntry[] {
  return realms.map((realm) => {
    const closed = numbers.maintenance.get(realm.name);
    const continents = realm.continents.map(({ name, title, capacity }): ContinentEntry => {
      const counted = numbers.worlds.get(worldServerId(realm.name, name));
      return {
        name,
        title,
        status: closed ? 'maintenance' : continentStatus(world(realm.name, name), counted, capacity),
        players: counted?.active ?? 0,
        capacity,
        queue: counted?.queued ?? 0,
      };
    });
    const sum = (value: (continent: ContinentEntry) => number) => continents.reduce((total, continent) => total + value(continent), 0);
    return {
      name: realm.name,
      title: realm.title,
      status: REALM_STATUSES.find((status) => continents.some((continent) => continent.status === status)) ?? 'offline',
      players: sum(({ players }) => players),
      capacity: sum(({ capacity }) => capacity),
      queue: sum(({ queue }) => queue),
      maintenance: closed ? { message: closed.message, until: closed.until?.toISOString() ?? null } : null,
      continents,
    };
  });
}

/** Numbers older than this are said to be old: some readings failed. */
const MAX_NUMBERS_AGE_MS = 6_000;

/** @param readAt when the numbers were last read, in milliseconds since 1970; undefined: never */
export function numbersCurrency(readAt: number | undefined, now: number): Currency {
  if (readAt === undefined) return { current: false, asOf: null };
  const current = now - readAt <= MAX_NUMBERS_AGE_MS;
  return { current, asOf: current ? null : new Date(readAt).toISOString() };
}

/** @param lostAt when the view was found to be too old before; kept, so that the time does not move with each look */
export function serversCurrency(synced: boolean, ageSeconds: number, now: number, before: Currency | undefined): Currency {
  if (!synced) return { current: false, asOf: null };
  if (ageSeconds <= MAX_VIEW_AGE_SECONDS) return { current: true, asOf: null };
  if (before?.asOf && Math.abs(Date.parse(before.asOf) - (now - ageSeconds * 1000)) < 5_000) return before;
  return { current: false, asOf: new Date(now - ageSeconds * 1000).toISOString() };
}
