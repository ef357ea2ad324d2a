/**
 * Databases for tests: an embedded one always, and one of a real PostgreSQL where test/run.ts has started it.
 * It deliberately gives every test file a database of its own, migrated and empty.
 */
import { randomBytes } from 'node:crypto';
import { after, before, describe } from 'node:test';
import pg from 'pg';
import type { Database } from '../../src/database/database.ts';
import { openEmbedded } from '../../src/database/embedded.ts';
import { migrate } from '../../src/database/migrate.ts';
import { openPostgres } from '../../src/database/postgres.ts';

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** Where test/run.ts has started PostgreSQL; undefined when there is none. */
export function testPostgres(): PostgresAddress | undefined {
  const match = /^(.+)@(.+):([0-9]+)$/.exec(process.env.BROKER_TEST_POSTGRES ?? '');
  return match ? { user: match[1] as string, host: match[2] as string, port: Number(match[3]) } : undefined;
}

export const NO_POSTGRES = testPostgres() ? false : 'PostgreSQL is not there; npm test -w services/connect-broker starts it';

export async function embeddedDatabase(): Promise<Database> {
  const database = await openEmbedded();
  await migrate(database);
  return database;
}

/** A fresh database of the real server. `open` connects to it once more: another replica. */
export async function postgresDatabase(
  address: PostgresAddress,
  template = 'template_migrated',
): Promise<{ name: string; open(poolSize?: number): Database; drop(): Promise<void> }> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const administer = async (statement: string) => {
    const client = new pg.Client({ host: address.host, port: address.port, user: address.user, database: 'postgres' });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await administer(`create database ${name} template ${template}`);
  return {
    name,
    open: (poolSize = 10) =>
      openPostgres({ ...address, name, poolSize, applicationName: 'tests', credentials: { username: address.user } }),
    drop: () => administer(`drop database if exists ${name} with (force)`),
  };
}

/**
 * Runs tests on PostgreSQL where there is one, and on the embedded database otherwise: for what does not depend on which of them it is.
 * `database` is open from the first test on.
 */
export const onDatabase = (title: string, define: (database: () => Database) => void): void =>
  defineOn(title, define, testPostgres() ? ['PostgreSQL'] : ['embedded']);

/** Runs the same tests on the embedded database and, where there is one, on PostgreSQL: for the SQL that everything stands on. The embedded one takes seconds to start. */
export const onEachDatabase = (title: string, define: (database: () => Database) => void): void =>
  defineOn(title, define, ['embedded', 'PostgreSQL']);

function defineOn(title: string, define: (database: () => Database) => void, kinds: readonly ('embedded' | 'PostgreSQL')[]): void {
  const suite = (label: string, open: () => Promise<{ database: Database; end: () => Promise<void> }>, skip: string | false) => {
    describe(`${title} (${label})`, { skip }, () => {
      let opened: { database: Database; end: () => Promise<void> } | undefined;
      before(async () => {
        opened = await open();
      });
      after(async () => {
        await opened?.end();
      });
      define(() => {
        if (!opened) throw new Error('The database is open only while tests run.');
        return opened.database;
      });
    });
  };
  if (kinds.includes('embedded'))
    suite(
      'embedded',
      async () => {
        const database = await embeddedDatabase();
        return { database, end: () => database.close() };
      },
      false,
    );
  const address = testPostgres();
  if (kinds.includes('PostgreSQL'))
    suite(
      'PostgreSQL',
      async () => {
        const fresh = await postgresDatabase(address as PostgresAddress);
        const database = fresh.open();
        return {
          database,
          end: async () => {
            await database.close();
            await fresh.drop();
          },
        };
      },
      NO_POSTGRES,
    );
}
