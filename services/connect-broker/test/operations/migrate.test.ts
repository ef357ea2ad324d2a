/** `migrate` as the Job runs it: as the owner, over verified TLS, with the serving role's rights granted. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { BROKER_ENVIRONMENT } from '../../../../lib/broker-contract.ts';
import type { Database, Queryable } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { NO_POSTGRES, type PostgresAddress, postgresDatabase, testPostgres } from '../support/databases.ts';
import { type PodFiles, podFiles, startProgram } from '../support/process.ts';

const skip = NO_POSTGRES || (process.env.BROKER_TEST_POSTGRES_CA ? false : 'openssl was not found, so the test PostgreSQL speaks no TLS');

describe('migrate', { skip }, () => {
  const address = testPostgres() as PostgresAddress;
  let fresh: Awaited<ReturnType<typeof postgresDatabase>>;
  let files: PodFiles;
  const asUser = async <T>(user: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ host: address.host, port: address.port, user, database: fresh.name });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const run = async (file = files.configFile) => {
    const program = startProgram(['migrate'], { [BROKER_ENVIRONMENT.config]: file });
    return { code: await program.exited, output: program.output() };
  };

  before(async () => {
    fresh = await postgresDatabase(address, 'template1');
    await asUser(address.user, async (client) => {
      for (const role of ['broker_owner', 'broker']) {
        await client.query(`do $$ begin create role ${role} login; exception when duplicate_object then null; end $$`);
      }
      await client.query(`alter database ${fresh.name} owner to broker_owner`);
      await client.query('alter schema public owner to broker_owner');
    });
    files = await podFiles({ name: fresh.name, address, username: 'broker_owner' });
  });
  after(async () => {
    files.dispose();
    await fresh.drop();
  });

  test('makes the whole schema and ends with 0', async () => {
    const { code, output } = await run();
    assert.equal(code, 0, output);
  });

  test('run again says that the schema was up to date', async () => {
    assert.match((await run()).output, /the schema was up to date/);
  });

  test('has no limit of time for its statements, and sets it for its transaction alone', async () => {
    const database = fresh.open(1);
    const limits: unknown[] = [];
    const limit = async (on: Queryable) =>
      limits.push((await on.query<{ statement_timeout: string }>('show statement_timeout'))[0]?.statement_timeout);
    await migrate({
      ...database,
      transaction: (work) =>
        database.transaction(async (transaction) => {
          const result = await work(transaction);
          await limit(transaction);
          return result;
        }),
    } as Database);
    await limit(database);
    await database.close();
    assert.deepEqual(limits, ['0', '10s']);
  });

  test('waits for its queries for as long as its connection was told to', async () => {
    const open = (queryTimeoutMs: number) =>
      openPostgres({
        ...address,
        name: fresh.name,
        poolSize: 1,
        applicationName: 'tests',
        credentials: { username: address.user },
        queryTimeoutMs,
      });
    const [hasty, patient] = [open(50), open(0)];
    await assert.rejects(hasty.query('select pg_sleep(0.5)'), /query read timeout/i);
    await patient.query('select pg_sleep(0.5)');
    await Promise.all([hasty.close(), patient.close()]);
  });

  test('lets the serving role read and write', async () => {
    await asUser('broker', (client) => client.query("insert into accounts (name, name_key) values ('Zoë', 'zoë')"));
    const { rows } = await asUser('broker', (client) => client.query('select name from accounts'));
    assert.deepEqual(rows, [{ name: 'Zoë' }]);
  });

  test('lets the serving role change no table', async () => {
    await assert.rejects(
      asUser('broker', (client) => client.query('alter table accounts add column more text')),
      { code: '42501' },
    );
  });

  test('lets the serving role make no table', async () => {
    await assert.rejects(
      asUser('broker', (client) => client.query('create table mine ()')),
      { code: '42501' },
    );
  });

  test('ends with 1 and says which role is missing, when the operator has not made it yet', async () => {
    const other = await podFiles({ name: fresh.name, address, username: 'broker_owner' });
    const { readFileSync, writeFileSync } = await import('node:fs');
    writeFileSync(
      other.configFile,
      readFileSync(other.configFile, 'utf8').replace('"applicationRole":"broker"', '"applicationRole":"later"'),
    );
    const { code, output } = await run(other.configFile);
    other.dispose();
    assert.equal(code, 1);
    assert.match(output, /role 'later' does not exist yet/);
  });

  test('ends with a sentence when the configuration has mistakes', async () => {
    const other = await podFiles({ name: fresh.name, address, username: 'broker_owner' });
    const { readFileSync, writeFileSync } = await import('node:fs');
    writeFileSync(
      other.configFile,
      readFileSync(other.configFile, 'utf8').replace('"registration":"open"', '"registration":"maybe","extra":1'),
    );
    const { code, output } = await run(other.configFile);
    other.dispose();
    assert.equal(code, 1);
    assert.match(output, /has 2 mistakes:\n {2}registration: .*\n {2}\(the whole\): .*extra/);
  });
});
