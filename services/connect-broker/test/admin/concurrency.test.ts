/** Operators at the same time, over several replicas on one PostgreSQL. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setRole } from '../../src/admin/accounts.ts';
import { act, COMMAND_ACTOR } from '../../src/admin/actor.ts';
import { banAccount } from '../../src/admin/bans.ts';
import type { Database } from '../../src/database/database.ts';
import { Problem } from '../../src/problem.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { NO_POSTGRES, type PostgresAddress, postgresDatabase, testPostgres } from '../support/databases.ts';
import { administrator, person, place } from './support.ts';

/** Resolves when `count` connections of this database wait for a lock. */
async function waiting(on: Database, count: number): Promise<void> {
  for (;;) {
    const [row] = await on.query<{ n: number }>(
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    if ((row?.n ?? 0) >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('operators at the same time', { skip: NO_POSTGRES }, () => {
  let fresh: Awaited<ReturnType<typeof postgresDatabase>>;
  let one: Database;
  let two: Database;
  let broker: TestBroker;
  before(async () => {
    fresh = await postgresDatabase(testPostgres() as PostgresAddress);
    one = fresh.open();
    two = fresh.open();
    broker = testBroker(one);
  });
  after(async () => {
    broker.dispose();
    await one.close();
    await two.close();
    await fresh.drop();
  });
  const admins = async () => (await one.query("select id from accounts where role = 'admin'")).length;

  test('make-admin from two places changes the role once', async () => {
    const player = await person(broker);
    const results = await Promise.all([one, two].map((replica) => setRole(replica, COMMAND_ACTOR, player.id, 'admin')));
    assert.deepEqual(results.map(({ changed }) => changed).sort(), [false, true]);
  });

  test('two administrators who take each other’s role leave one', async () => {
    await one.query("update accounts set role = 'player'");
    for (let round = 0; round < 10; round++) {
      await one.query("update accounts set role = 'player'");
      const [ann, bob] = [await administrator(broker), await administrator(broker)];
      await Promise.allSettled([
        setRole(one, { accountId: ann.id, name: ann.name }, bob.id, 'player'),
        setRole(two, { accountId: bob.id, name: bob.name }, ann.id, 'player'),
      ]);
      assert.equal(await admins(), 1);
    }
  });

  test('everybody who gives up the role at once leaves one', async () => {
    await one.query("update accounts set role = 'player'");
    const people = await Promise.all(Array.from({ length: 8 }, () => administrator(broker)));
    await Promise.allSettled(
      people.map(({ id, name }, index) => setRole(index % 2 === 0 ? one : two, { accountId: id, name }, id, 'player')),
    );
    assert.equal(await admins(), 1);
  });

  test('an administrator whose role is taken while the request runs changes nothing', async () => {
    await one.query("update accounts set role = 'player'");
    const [ann, bob, player] = [await administrator(broker), await administrator(broker), await person(broker)];
    let banned: Promise<unknown> | undefined;
    await one.transaction(async (transaction) => {
      await transaction.query("update accounts set role = 'player' where id = $1", [bob.id]);
      const actor = { accountId: bob.id, name: bob.name };
      banned = act(two, actor, (inner, note) => banAccount(inner, note, actor, player.id, { reason: 'x' })).catch(
        (error: unknown) => error,
      );
      await waiting(one, 1);
    });
    const error = await banned;
    assert.ok(error instanceof Problem && error.code === 'not-allowed', String(error));
    assert.equal(await admins(), 1, ann.name);
  });

  test('a ban waits for a claim that is under way and has its session kicked', async () => {
    const player = await person(broker);
    const session = await place(broker, player.id);
    let ban: ReturnType<typeof banAccount> | undefined;
    await one.transaction(async (transaction) => {
      assert.equal(await session.claim(transaction), 'accepted');
      ban = act(two, COMMAND_ACTOR, (inner, note) => banAccount(inner, note, COMMAND_ACTOR, player.id, { reason: 'x' }));
      await waiting(one, 1);
    });
    assert.equal((await ban)?.removal.kicked, 1);
  });

  test('a claim waits for a ban that is under way and is refused', async () => {
    const player = await person(broker);
    const session = await place(broker, player.id);
    let claim: Promise<string> | undefined;
    await act(one, COMMAND_ACTOR, async (transaction, note) => {
      await banAccount(transaction, note, COMMAND_ACTOR, player.id, { reason: 'x' });
      claim = session.claim(two);
      await waiting(two, 1);
    });
    assert.equal(await claim, 'banned');
  });

  test('whatever the order, nobody plays on after ban and claim at once', async () => {
    for (let round = 0; round < 20; round++) {
      const player = await person(broker);
      const session = await place(broker, player.id);
      await Promise.all([
        act(one, COMMAND_ACTOR, (transaction, note) => banAccount(transaction, note, COMMAND_ACTOR, player.id, { reason: 'x' })),
        session.claim(two),
      ]);
      const [row] = await one.query<{ out: boolean }>(
        `select state = 'ended' or exists (select from server_orders where kind = 'kick' and play_session_id = play_sessions.id) as out
         from play_sessions where id = $1`,
        [session.playSessionId],
      );
      assert.equal(row?.out, true);
    }
  });
});
