/**
 * Asks the database about connects to worlds: together those that come at once or while others are being decided, in one round trip, and then alone whoever is left.
 * It deliberately holds no rules: connect_to_worlds decides the common case of many and connect_to_world whatever it leaves (migration 003).
 */
import type { Broker } from '../broker.ts';
import { isUnavailable, retryConflicts } from '../database/database.ts';

/** One connect: what the client asks for and what the broker knows of the servers that may be meant. The lists have an entry for each continent. */
export interface ConnectIntent {
  readonly candidates: readonly Uint8Array[];
  readonly address: string | null;
  readonly realm: string;
  readonly continents: readonly string[];
  readonly pods: readonly string[];
  readonly places: readonly number[];
  readonly verdicts: readonly string[];
  readonly characterId: string;
  readonly clientId: bigint;
}

/** What connect_to_world says. */
export interface ConnectOutcome {
  readonly outcome: string;
  /** Which of the continents is meant, from 1. */
  readonly chosen: number | null;
  readonly account: string | null;
  readonly session: string | null;
  readonly queue_position: bigint | null;
  readonly waiting: bigint | null;
  readonly seconds_each: number | null;
  readonly message: string | null;
  readonly ends: Date | null;
}

/** Players who may wait for one world. More would wait for hours; it also bounds what one connect counts. */
export const QUEUE_LIMIT = 5_000;
/**
 * Questions to connect_to_worlds that are open at once. What comes meanwhile is asked together: the fewer questions, the more in each, and the less each connect costs. So
 * there is a second one only for whom the first keeps waiting: it is full, or slow because somebody keeps a world's lock. It waits for no account, so one that is locked holds up
 * nobody else; whoever is to be decided alone waits outside.
 */
const MOST_OPEN = 2;
/** Several times what a question takes. */
const SLOW_MS = 20;
/** A round trip's work stays some milliseconds, and what one failure costs small. */
const MOST_TOGETHER = 64;

/** Decides a connect. @throws DatabaseUnavailable */
export type DecideConnect = (intent: ConnectIntent) => Promise<ConnectOutcome>;

interface Waiting {
  readonly intent: ConnectIntent;
  readonly resolve: (outcome: ConnectOutcome | Promise<ConnectOutcome>) => void;
  readonly reject: (error: unknown) => void;
}

/** Connects of one replica. */
export function connectDecisions({ database, settings, log }: Pick<Broker, 'database' | 'settings' | 'log'>): DecideConnect {
  const { lifetimeSeconds } = settings.tokens;
  const waiting: Waiting[] = [];
  let open = 0;
  let soon = false;
  /** Until the open question counts as slow. */
  let patience: NodeJS.Timeout | undefined;
  let slow = false;

  const decideAlone: DecideConnect = async (intent) => {
    const [row] = await retryConflicts(() =>
      database.query<ConnectOutcome>('select * from connect_to_world($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)', [
        intent.candidates,
        intent.address,
        intent.realm,
        intent.continents,
        intent.pods,
        intent.places,
        intent.verdicts,
        intent.characterId,
        intent.clientId,
        lifetimeSeconds,
        QUEUE_LIMIT,
      ]),
    );
    if (!row) throw new Error('connect_to_world gave no outcome.');
    return row;
  };

  /** Outcomes by their turn in `intents`; who is not in it is to be decided alone. */
  const decideTogether = async (intents: readonly ConnectIntent[]): Promise<ReadonlyMap<number, ConnectOutcome>> => {
    const rows = await database.query<{ item: number; chosen: number; account: string; session: string }>(
      'select item, chosen, account, session from connect_to_worlds($1, $2)',
      [JSON.stringify(intents.map(asJson)), lifetimeSeconds],
    );
    return new Map(rows.map(({ item, ...row }) => [item, { ...RESERVED, ...row }]));
  };

  const next = async (): Promise<void> => {
    const taken = waiting.splice(0, MOST_TOGETHER);
    if (taken.length === 0) return;
    open++;
    slow = false;
    clearTimeout(patience);
    patience = undefined;
    try {
      const decided = await decideTogether(taken.map(({ intent }) => intent)).catch((error: unknown) => {
        if (isUnavailable(error)) throw error;
        // A conflict, or a world whose lock somebody keeps: whoever it concerns finds out alone.
        log.debug({ err: error, connects: taken.length }, 'connects are decided one by one');
        return new Map<number, ConnectOutcome>();
      });
      for (const [item, { intent, resolve }] of taken.entries()) resolve(decided.get(item) ?? decideAlone(intent));
    } catch (error) {
      for (const { reject } of taken) reject(error);
    } finally {
      open--;
      ask();
    }
  };
  const ask = () => {
    if (soon || open >= MOST_OPEN || waiting.length === 0) return;
    if (open > 0 && !slow && waiting.length < MOST_TOGETHER) {
      patience ??= setTimeout(() => {
        slow = true;
        ask();
      }, SLOW_MS);
      return;
    }
    soon = true;
    // After everything that has arrived by now is read.
    setImmediate(() => {
      soon = false;
      void next();
      ask();
    });
  };

  return (intent) => {
    if (!intent.verdicts.includes('open')) return decideAlone(intent);
    return new Promise((resolve, reject) => {
      waiting.push({ intent, resolve, reject });
      ask();
    });
  };
}

const RESERVED = {
  outcome: 'reserved',
  queue_position: null,
  waiting: null,
  seconds_each: null,
  message: null,
  ends: null,
} as const satisfies Partial<ConnectOutcome>;

/** As connect_to_worlds reads it. */
const asJson = (intent: ConnectIntent, item: number) => ({
  item,
  candidates: intent.candidates.map((hash) => `\\x${Buffer.from(hash).toString('hex')}`),
  client_address: intent.address,
  to_realm: intent.realm,
  names: intent.continents,
  pods: intent.pods,
  places: intent.places,
  verdicts: intent.verdicts,
  played_character: intent.characterId,
  // A number of JSON would lose digits where it is read as a double.
  client: String(intent.clientId),
});
