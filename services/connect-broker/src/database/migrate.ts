/**
 * Brings the database's schema up to date: the numbered SQL files of `migrations/`, each once, and then the serving role's rights.
 * It deliberately goes forward only: a version that was rolled back must still run on the newer schema, so files add and never take away what the version before reads.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Postgrator from 'postgrator';
import type { Database, Transaction } from './database.ts';

/** Folder of the SQL files: beside this file, or where the image has them. */
export const MIGRATIONS = path.join(path.dirname(fileURLToPath(import.meta.url)), 'migrations');

/** Any number; the same for every process that migrates. */
const MIGRATION_LOCK = 7_271_828;

export interface MigrationResult {
  /** Versions that were applied now, in order; empty when the schema was up to date. */
  readonly applied: readonly number[];
}

/**
 * Applies all missing migrations in one transaction under a lock, so that two processes at once, or one that dies, leave a whole schema. Safe to run again.
 * @param database without a limit of time for its queries (`queryTimeoutMs: 0`) where its tables may be large
 * @param applicationRole role that gets the rights to read and write; it must exist. @default none: whoever migrates also serves
 * @throws when a file that was applied has been changed since (its checksum differs), when a statement fails, or when the role does not exist
 */
export function migrate(database: Database, applicationRole?: string): Promise<MigrationResult> {
  return database.transaction(async (transaction) => {
    // An index on a large table, or the wait for another migration, takes as long as it takes.
    await transaction.query('set local statement_timeout = 0');
    await transaction.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const postgrator = new Postgrator({
      driver: 'pg',
      migrationPattern: path.join(MIGRATIONS, '*.sql').replaceAll(path.sep, '/'),
      schemaTable: 'public.schema_migrations',
      validateChecksums: true,
      newline: 'LF',
      execQuery: async (text: string) => ({ rows: await transaction.query<Record<string, never>>(text) }),
      execSqlScript: (script: string) => transaction.execute(script),
    } as ConstructorParameters<typeof Postgrator>[0]);
    const applied = await postgrator.migrate();
    if (applicationRole !== undefined) await grant(transaction, applicationRole);
    return { applied: applied.map(({ version }) => Number(version)) };
  });
}

/** The serving role reads and writes rows and calls functions; it owns nothing and changes no schema. */
async function grant(transaction: Transaction, role: string): Promise<void> {
  const [row] = await transaction.query<{ quoted: string }>('select quote_ident(rolname) as quoted from pg_roles where rolname = $1', [
    role,
  ]);
  if (!row) throw new Error(`The role '${role}' does not exist yet; the database's operator makes it. Run the migration again.`);
  const { quoted } = row;
  await transaction.execute(`
    grant usage on schema public to ${quoted};
    grant select, insert, update, delete on all tables in schema public to ${quoted};
    revoke insert, update, delete on public.schema_migrations from ${quoted};
    grant usage, select on all sequences in schema public to ${quoted};
    grant execute on all functions in schema public to ${quoted};
  `);
}
