/** The database goes away and comes back: the broker says so, restarts nothing, and recovers by itself. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { operationsApplication } from '../../src/http/operations.ts';
import { pause } from '../../src/shutdown.ts';
import { testBroker } from '../support/broker.ts';
import { NO_POSTGRES } from '../support/databases.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';

describe('a database that goes away', { skip: NO_POSTGRES }, () => {
  let server: TestPostgres;
  let database: Database;
  const hints: string[] = [];

  before(async () => {
    server = (await startTestPostgres()) as TestPostgres;
    database = openPostgres({
      host: '127.0.0.1',
      port: server.port,
      name: 'postgres',
      poolSize: 3,
      applicationName: 'tests',
      credentials: { username: server.superuser },
    });
    await migrate(database);
    await database.listen('broker', (payload) => void hints.push(payload));
  });
  after(async () => {
    await database.close();
    await server.stop();
  });
  const until = async (what: string, condition: () => boolean | Promise<boolean>) => {
    for (let tries = 0; tries < 200; tries++) {
      if (await condition()) return;
      await pause(50);
    }
    throw new Error(`It did not happen: ${what}.`);
  };

  test('makes queries fail as unavailable, at once', async () => {
    await database.query('select 1');
    await server.crash();
    await assert.rejects(database.query('select 1'), { name: 'DatabaseUnavailable' });
  });

  test('is told by /readyz, which stays 200', async () => {
    const broker = testBroker(database);
    const application = await operationsApplication(broker);
    const answer = await application.inject('/readyz');
    await application.close();
    broker.dispose();
    assert.deepEqual([answer.statusCode, answer.json().database], [200, 'down']);
  });

  test('is named by its code in the log', async () => {
    const broker = testBroker(database);
    await database.query('select 1').catch((error: unknown) => broker.log.warn({ err: (error as Error).cause }, 'away'));
    broker.dispose();
    assert.match(JSON.stringify(broker.logged), /"code":"(ECONNREFUSED|57P0[123])"/);
  });

  test('serves again after it has come back, on the same pool', async () => {
    await server.restart();
    await until('a query succeeds', () =>
      database.query('select 1').then(
        () => true,
        () => false,
      ),
    );
    assert.equal(database.up, true);
  });

  test('keeps what was committed before', async () => {
    await database.query("insert into accounts (name, name_key) values ('Kept', 'kept')");
    await server.crash();
    await server.restart();
    let rows: object[] = [];
    await until('a query succeeds', () =>
      database.query("select name from accounts where name_key = 'kept'").then(
        (found) => {
          rows = found;
          return true;
        },
        () => false,
      ),
    );
    assert.deepEqual(rows, [{ name: 'Kept' }]);
  });

  test('wakes whoever listens after it has come back, because hints were lost', async () => {
    const before = hints.filter((payload) => payload === '').length;
    await server.crash();
    await server.restart();
    await until('a hint without payload', () => hints.filter((payload) => payload === '').length > before);
    await database.query("select pg_notify('broker', 'again')");
    await until('the next hint', () => hints.includes('again'));
  });

  test('ends a transaction that was under way, without a trace', async () => {
    await assert.rejects(
      database.transaction(async (transaction) => {
        await transaction.query("insert into accounts (name, name_key) values ('Half', 'half')");
        await server.crash();
        await transaction.query('select 1');
      }),
      { name: 'DatabaseUnavailable' },
    );
    await server.restart();
    let rows: object[] | undefined;
    await until('a query succeeds', () =>
      database.query("select 1 from accounts where name_key = 'half'").then(
        (found) => {
          rows = found;
          return true;
        },
        () => false,
      ),
    );
    assert.deepEqual(rows, []);
  });
});
