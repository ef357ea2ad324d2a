/**
 * The broker's database embedded in its own process (PGlite): for a laptop and for quick tests, with the same SQL and migrations.
 * It deliberately promises nothing about concurrency: one process, one statement or transaction at a time.
 */
import { mkdirSync } from 'node:fs';
import { PGlite, type Transaction as PGliteTransaction, types } from '@electric-sql/pglite';
import { type Database, retryConflicts, type Transaction } from './database.ts';

const parsers = { [types.INT8]: (text: string) => BigInt(text) };

/** @param directory where the data is kept; without one they live in memory and end with the process */
export async function openEmbedded(directory?: string): Promise<Database> {
  if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const pglite = await PGlite.create({ ...(directory === undefined ? {} : { dataDir: directory }), parsers });
  const unlisten: (() => Promise<void>)[] = [];
  const rows = async <Row extends object>(on: PGlite | PGliteTransaction, text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await on.query<Row>(text, values as unknown[])).rows;
  return {
    query: (text, values) => rows(pglite, text, values),
    transaction: (work) =>
      retryConflicts(() =>
        pglite.transaction((inner) => {
          const transaction: Transaction = {
            query: (text, values) => rows(inner, text, values),
            execute: async (script) => {
              await inner.exec(script);
            },
          };
          return work(transaction);
        }),
      ),
    listen: async (channel, onHint) => {
      unlisten.push(await pglite.listen(channel, onHint));
      onHint('');
    },
    get up() {
      return pglite.ready && !pglite.closed;
    },
    poolState: () => ({ idle: 1, busy: 0, waiting: 0 }),
    close: async () => {
      for (const stop of unlisten) await stop();
      await pglite.close();
    },
  };
}
