/** The two databases behave alike: values, transactions, hints, migrations. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { sqlState, violatedConstraint } from '../src/database/database.ts';
import { MIGRATIONS, migrate } from '../src/database/migrate.ts';
import { openPostgres } from '../src/database/postgres.ts';
import { NO_POSTGRES, onEachDatabase } from './support/databases.ts';
import { freePort } from './support/postgres.ts';

onEachDatabase('a database', (database) => {
  test('int8 comes back as bigint', async () => {
    assert.deepEqual(await database().query('select $1::int8 as value', ['9223372036854775807']), [{ value: 9223372036854775807n }]);
  });

  test('timestamptz comes back as Date', async () => {
    const [row] = await database().query<{ value: Date }>("select '2026-01-02T03:04:05Z'::timestamptz as value");
    assert.equal(row?.value.toISOString(), '2026-01-02T03:04:05.000Z');
  });

  test('bytea goes in and out as bytes', async () => {
    const [row] = await database().query<{ value: Uint8Array }>('select $1::bytea as value', [Uint8Array.of(0, 255, 10)]);
    assert.deepEqual([...(row?.value ?? [])], [0, 255, 10]);
  });

  test('an array of bytes goes in', async () => {
    const hashes = [Uint8Array.of(1), Uint8Array.of(2)].map((bytes) => Buffer.from(bytes));
    const [row] = await database().query<{ found: boolean }>("select '\\x02'::bytea = any ($1::bytea[]) as found", [hashes]);
    assert.equal(row?.found, true);
  });

  test('a transaction that fails leaves nothing', async () => {
    await assert.rejects(
      database().transaction(async (transaction) => {
        await transaction.query("insert into accounts (name, name_key) values ('Gone', 'gone')");
        throw new Error('changed my mind');
      }),
      /changed my mind/,
    );
    assert.deepEqual(await database().query("select 1 from accounts where name_key = 'gone'"), []);
  });

  test('a duplicate names its constraint', async () => {
    await database().query("insert into accounts (name, name_key) values ('Twin', 'twin')");
    await assert.rejects(database().query("insert into accounts (name, name_key) values ('Twin', 'twin')"), (error) => {
      assert.equal(sqlState(error), '23505');
      assert.equal(violatedConstraint(error), 'accounts_name_key');
      return true;
    });
  });

  test('a hint reaches whoever listens', async () => {
    const heard: string[] = [];
    let tell: () => void = () => undefined;
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    await database().listen('tests', (payload) => {
      heard.push(payload);
      if (payload === 'news') tell();
    });
    await database().query("select pg_notify('tests', 'news')");
    await told;
    assert.deepEqual(heard, ['', 'news']);
  });

  test('migrating again changes nothing', async () => {
    assert.deepEqual((await migrate(database())).applied, []);
  });

  test('the schema is at the newest version of the files', async () => {
    const [row] = await database().query<{ version: bigint }>('select max(version)::int8 as version from schema_migrations');
    const newest = Math.max(...readdirSync(MIGRATIONS).map((file) => Number.parseInt(file, 10)));
    assert.equal(Number(row?.version), newest);
  });

  test('migrating for a role that does not exist says so', async () => {
    await assert.rejects(migrate(database(), 'nobody-there'), /role 'nobody-there' does not exist yet/);
  });
});

describe('a PostgreSQL server that is away', { skip: NO_POSTGRES }, () => {
  test('makes a query fail as unavailable', async () => {
    const database = openPostgres({
      host: '127.0.0.1',
      port: await freePort(),
      name: 'x',
      poolSize: 1,
      applicationName: 'tests',
      credentials: { username: 'x' },
    });
    await assert.rejects(database.query('select 1'), { name: 'DatabaseUnavailable' });
    await database.close();
  });
});
