/**
 * Runs the broker's tests: starts one PostgreSQL for all of them, makes a migrated template database, and hands both to `node --test`.
 * It deliberately runs everything that it can and names in one line each what it skips; BROKER_TESTS_REQUIRE=postgres,browser,… makes a skip a failure.
 *
 *   npm test -w services/connect-broker [-- test/one.test.ts …]
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { migrate } from '../src/database/migrate.ts';
import { openPostgres } from '../src/database/postgres.ts';
import { startTestPostgres } from './support/postgres.ts';

const here = import.meta.dirname;
const required = new Set((process.env.BROKER_TESTS_REQUIRE ?? '').split(',').filter(Boolean));
const chosen = process.argv.slice(2);
const files =
  chosen.length > 0
    ? chosen
    : readdirSync(here, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.test.ts'))
        .sort()
        .map((file) => path.join(here, file));

const postgres = await startTestPostgres();
const environment: NodeJS.ProcessEnv = { ...process.env };
if (postgres) {
  const client = new pg.Client({ host: '127.0.0.1', port: postgres.port, user: postgres.superuser, database: 'postgres' });
  await client.connect();
  await client.query('create database template_migrated');
  await client.end();
  const database = openPostgres({
    host: '127.0.0.1',
    port: postgres.port,
    name: 'template_migrated',
    poolSize: 1,
    applicationName: 'tests',
    credentials: { username: postgres.superuser },
  });
  await migrate(database);
  await database.close();
  environment.BROKER_TEST_POSTGRES = `${postgres.superuser}@127.0.0.1:${postgres.port}`;
  if (postgres.caFile !== undefined) environment.BROKER_TEST_POSTGRES_CA = postgres.caFile;
} else {
  console.error(
    '# skipped: tests on PostgreSQL, because initdb and postgres were not found (Debian: apt install postgresql; or set BROKER_TEST_POSTGRES_BIN).',
  );
  if (required.has('postgres')) process.exit(1);
}
const child = spawn(
  process.execPath,
  ['--import', 'tsx', '--conditions=source', '--test', '--test-reporter', process.env.BROKER_TEST_REPORTER ?? 'spec', ...files],
  { stdio: 'inherit', env: environment, cwd: existsSync(path.join(here, '..')) ? path.join(here, '..') : undefined },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
const code = await new Promise<number>((resolve) => child.once('exit', (status) => resolve(status ?? 1)));
await postgres?.stop();
process.exitCode = code;
