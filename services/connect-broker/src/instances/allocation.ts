/**
 * Finds servers for the instances that are wanted: rows that are due, one attempt each, and when the next one is due.
 * It deliberately holds no lock while Agones is asked. Whoever takes a row moves its next attempt beyond the longest answer, in one statement: that is the lock,
 * and when a replica dies in the middle, another one makes the next attempt with the same id, which finds what the first one got.
 */
import type { Broker } from '../broker.ts';
import { violatedConstraint } from '../database/database.ts';
import type { AllocationOutcome } from '../metrics.ts';
import { pause } from '../shutdown.ts';
import type { AllocationResult, Allocator } from './allocator.ts';

/** Instances that one replica takes at a time. */
const BATCH = 10;
/** Beyond the allocator's own limit of time and the pauses after contention: until then nobody else takes the row. */
const TAKEN_SECONDS = 15;
/** Nobody has asked for as long: whoever wanted it has gone. */
const ABANDONED_SECONDS = 120;
/** Waiting longer makes nobody happy, and a Fleet that starts from zero has had the time to pull its image. */
const NO_SERVER_SECONDS = 600;
/** Pause until the next attempt: doubles from the first to the most, a random half taken off. A server that starts takes seconds. */
const RETRY_SECONDS = { first: 0.5, most: 4 };
/** Contention is over in a moment. */
const CONTENTION = { tries: 3, pauseMs: 100, withinMs: 3_000 };

interface Due {
  readonly id: string;
  readonly content_type: string;
  readonly build: string;
  readonly difficulty: string | null;
  readonly attempts: number;
}

/** Makes every attempt that is due. @returns how many there were */
export async function allocateDue(broker: Pick<Broker, 'database' | 'metrics' | 'log'>, allocator: Allocator): Promise<number> {
  let attempts = 0;
  for (;;) {
    const due = await broker.database.query<Due>(
      `update instances set attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2)
       where id in (select id from instances where state = 'wanted' and next_attempt_at <= now() order by next_attempt_at limit $1 for update skip locked)
       returning id, content_type, build, difficulty, attempts`,
      [BATCH, TAKEN_SECONDS],
    );
    await Promise.all(due.map((each) => attempt(broker, allocator, each)));
    attempts += due.length;
    if (due.length < BATCH) return attempts;
  }
}

async function attempt(broker: Pick<Broker, 'database' | 'metrics' | 'log'>, allocator: Allocator, due: Due): Promise<void> {
  const { database, metrics, log } = broker;
  const count = (result: AllocationOutcome) => metrics.allocations.inc({ fleet: due.content_type, result });
  let result: AllocationResult | undefined;
  try {
    result = await allocate(allocator, due, count);
  } catch (error) {
    count('error');
    log.warn({ err: error, instance: due.id, attempt: due.attempts }, 'an allocation failed; it is tried again with the same id');
  }
  if (result?.state === 'allocated') {
    if (await record(broker, due, result.gameServer))
      log.info({ instance: due.id, gameServer: result.gameServer }, 'an instance has a server');
    return;
  }
  const seconds = Math.min(RETRY_SECONDS.most, RETRY_SECONDS.first * 2 ** Math.min(due.attempts - 1, 10)) * (0.5 + Math.random() / 2);
  await database.query("update instances set next_attempt_at = now() + make_interval(secs => $2) where id = $1 and state = 'wanted'", [
    due.id,
    seconds,
  ]);
}

async function allocate(allocator: Allocator, due: Due, count: (result: AllocationOutcome) => void): Promise<AllocationResult> {
  const began = performance.now();
  for (let tries = 1; ; tries++) {
    const result = await allocator.allocate({
      instanceId: due.id,
      contentType: due.content_type,
      build: due.build,
      ...(due.difficulty === null ? {} : { difficulty: due.difficulty }),
    });
    count(result.state);
    if (result.state !== 'contention' || tries === CONTENTION.tries || performance.now() - began > CONTENTION.withinMs) return result;
    await pause(CONTENTION.pauseMs * tries * (0.5 + Math.random()));
  }
}

/** The first that is recorded counts: whatever else was allocated with the same id is reaped. */
async function record({ database, log }: Pick<Broker, 'database' | 'log'>, due: Due, gameServer: string): Promise<boolean> {
  try {
    const recorded = await database.query(
      "update instances set state = 'allocated', game_server = $2, build = $3, allocated_at = now() where id = $1 and state = 'wanted' returning id",
      [due.id, gameServer, due.build],
    );
    return recorded.length > 0;
  } catch (error) {
    if (violatedConstraint(error) !== 'instances_by_game_server') throw error;
    log.error({ instance: due.id, gameServer }, 'Agones allocated a server that another instance has; it is tried again');
    return false;
  }
}

/** Ends what nobody wants any more and what found no server. No time runs out while brokers could not be asked. @returns ids */
export async function endUnallocated({ database }: Pick<Broker, 'database'>): Promise<string[]> {
  const ended = await database.query<{ id: string }>(
    `with up as materialized (select broker_up_since() as since)
     update instances set state = 'ended', ended_at = now(),
       ended_because = case when created_at < now() - make_interval(secs => $2) then 'no-server' else 'abandoned' end
     from up
     where state = 'wanted'
       and (greatest(asked_at, since) < now() - make_interval(secs => $1) or greatest(created_at, since) < now() - make_interval(secs => $2))
     returning id`,
    [ABANDONED_SECONDS, NO_SERVER_SECONDS],
  );
  return ended.map(({ id }) => id);
}
