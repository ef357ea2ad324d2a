/**
 * `npm run bench -w connect-broker`: requests per second of the list of realms and of connect, against a bare server of the same framework in the same process and run.
 * It deliberately prints ratios beside figures: a figure belongs to one machine, a ratio to the program.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { passwordHasher } from '../src/accounts/passwords.ts';
import { migrate } from '../src/database/migrate.ts';
import { openPostgres } from '../src/database/postgres.ts';
import { startTestPostgres } from '../test/support/postgres.ts';

/** Linux's USER_HZ is 100 everywhere. */
const TICK_MICROSECONDS = 10_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    realms: { type: 'string', default: '1000' },
    accounts: { type: 'string', default: '6000' },
    connections: { type: 'string', default: '32' },
    only: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const postgres = await startTestPostgres();
if (!postgres) throw new Error('The bench needs PostgreSQL (Debian: apt install postgresql).');
const database = openPostgres({
  host: '127.0.0.1',
  port: postgres.port,
  name: 'postgres',
  poolSize: 2,
  applicationName: 'bench',
  credentials: { username: postgres.superuser },
});
await migrate(database);

const child = fork(path.join(import.meta.dirname, 'server.ts'), [String(postgres.port), postgres.superuser, 'postgres', values.realms], {
  execArgv: [
    '--import',
    'tsx',
    '--conditions=source',
    ...(values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]),
  ],
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
const message = <T>() => new Promise<T>((resolve) => child.once('message', (value) => resolve(value as T)));
const ports = await message<{ broker: number; bare: number; bytes: number }>();

// Accounts that are logged in, each with a character: written as rows, because 2,000 argon2 hashes would take the bench's time.
const tokens = Array.from({ length: Number(values.accounts) }, () => randomBytes(32).toString('base64url'));
child.send({ hash: tokens });
const { hashes } = await message<{ hashes: string[] }>();
await database.query(
  `with made as (
     insert into accounts (name, name_key) select 'bench-' || n, 'bench-' || n from generate_series(1, $1::int) as n returning id, name
   ), sessions_made as (
     insert into sessions (account_id, token_hash, kind, expires_at)
     select made.id, decode(hashes.hash, 'hex'), 'bearer', now() + interval '1 day'
     from made join unnest($2::text[]) with ordinality as hashes (hash, n) on made.name = 'bench-' || hashes.n
   )
   insert into characters (account_id, name, name_key, realm, continent) select id, name, name, 'realm-0', 'continent' from made`,
  [tokens.length, hashes],
);
const characters = await database.query<{ id: string; n: number }>(
  "select characters.id, substring(name from 7)::int as n from characters where name like 'bench-%' order by 2",
);
await database.query('analyze');

const address = (index: number) => `198.18.${(index >> 8) & 255}.${index & 255}`;
const connections = Number(values.connections);
const load = (options: autocannon.Options): Promise<autocannon.Result> =>
  autocannon({ connections, duration: Number(values.seconds), ...options });
/** Requests that were made before: each connection sends its own ones in turn. To make one takes as long as to answer it, on the same processors. */
const prepared = (requests: readonly autocannon.Request[]): Partial<autocannon.Options> => {
  let clients = 0;
  return {
    setupClient: (client) => {
      const mine = clients++;
      client.setRequests(requests.filter((_, index) => index % connections === mine));
    },
  };
};
const connects = (path: (index: number) => string) =>
  prepared(
    tokens.map((token, index) => ({
      method: 'POST',
      path: path(index),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-forwarded-for': address(index) },
      body: JSON.stringify({ characterId: characters[index]?.id }),
    })),
  );
const cases: Record<string, () => Promise<autocannon.Result>> = {
  'bare list': () => load({ url: `http://127.0.0.1:${ports.bare}/realms` }),
  realms: () =>
    load({
      url: `http://127.0.0.1:${ports.broker}/v1/realms`,
      ...prepared(tokens.map((_, index) => ({ method: 'GET', path: '/v1/realms', headers: { 'x-forwarded-for': address(index) } }))),
    }),
  'bare round trip': () => load({ url: `http://127.0.0.1:${ports.bare}/round-trip`, method: 'POST' }),
  'bare write': () => load({ url: `http://127.0.0.1:${ports.bare}/write`, method: 'POST' }),
  'bare connect': () => load({ url: `http://127.0.0.1:${ports.bare}`, ...connects(() => '/least') }),
  connect: () =>
    load({
      url: `http://127.0.0.1:${ports.broker}`,
      ...connects((index) => `/v1/realms/realm-${index % Number(values.realms)}/connect`),
    }),
};

/** Processor time in µs that the broker's process and all of PostgreSQL's have used so far; none where there is no /proc. */
async function processorTime(): Promise<{ readonly node: number; readonly postgres: number } | undefined> {
  if (!existsSync('/proc/self/stat')) return undefined;
  const backends = await database.query<{ pid: number }>('select pid from pg_stat_activity');
  const ticks = (pid: number | undefined) => {
    // After the name in brackets: state, …, utime and stime as the 12th and 13th. A backend may have ended.
    const fields =
      pid !== undefined && existsSync(`/proc/${pid}/stat`)
        ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')
        : undefined;
    return (Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) * TICK_MICROSECONDS;
  };
  return { node: ticks(child.pid), postgres: backends.reduce((sum, { pid }) => sum + ticks(pid), 0) };
}

const figures = new Map<string, { perSecond: number[]; p99: number[]; not2xx: number; node: number[]; postgres: number[] }>();
const chosen = Object.entries(cases).filter(([name]) => values.only === undefined || values.only.split(',').includes(name));
// A service runs for days: the first seconds, while V8 compiles, are not what is asked.
for (const [, run] of chosen) await run();
// So does autovacuum, within a minute: plans that were made for empty tables end.
await database.query('analyze');
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, run] of chosen) {
    const before = await processorTime();
    const result = await run();
    const after = await processorTime();
    const entry = figures.get(name) ?? { perSecond: [], p99: [], not2xx: 0, node: [], postgres: [] };
    if (before && after && result.requests.total > 0) {
      entry.node.push((after.node - before.node) / result.requests.total);
      entry.postgres.push((after.postgres - before.postgres) / result.requests.total);
    }
    entry.perSecond.push(result.requests.average);
    entry.p99.push(result.latency.p99);
    entry.not2xx += result.non2xx + result.errors;
    figures.set(name, entry);
  }
}
const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const of = (name: string) => median(figures.get(name)?.perSecond ?? []);

const hasher = passwordHasher();
const hash = await hasher.hash('correct horse battery');
const logins = 40;
const started = performance.now();
await Promise.all(Array.from({ length: logins }, () => hasher.verify(hash, 'correct horse battery')));
const loginsPerSecond = (logins / (performance.now() - started)) * 1000;

const rows = [...figures].map(([name, { perSecond, p99, not2xx, node, postgres }]) => ({
  name,
  perSecond: Math.round(median(perSecond)),
  p99: median(p99),
  not2xx,
  microsecondsOfNode: Math.round(median(node)),
  microsecondsOfPostgres: Math.round(median(postgres)),
}));
const cost = (name: string) => median(figures.get(name)?.node ?? []) + median(figures.get(name)?.postgres ?? []);
const ratios = {
  'realms / bare list': of('realms') / of('bare list'),
  'connect / bare round trip (select 1)': of('connect') / of('bare round trip'),
  'connect / bare write (one row)': of('connect') / of('bare write'),
  'connect / bare connect (the least that it could be)': of('connect') / of('bare connect'),
  // On a machine with others on it, the only ones that say something.
  'processor time of bare round trip / connect': cost('bare round trip') / cost('connect'),
  'processor time of bare write / connect': cost('bare write') / cost('connect'),
};
if (values.json) console.log(JSON.stringify({ rows, ratios, loginsPerSecond, listBytes: ports.bytes }, null, 2));
else {
  console.log(
    `${values.realms} realms (a list of ${ports.bytes} bytes), ${values.connections} connections, ${values.seconds} s, median of ${values.rounds}`,
  );
  console.table(
    rows.map(({ name, perSecond, p99, not2xx, microsecondsOfNode, microsecondsOfPostgres }) => ({
      request: name,
      'per second': perSecond,
      'p99 ms': p99,
      'not 2xx': not2xx,
      'µs Node': microsecondsOfNode,
      'µs PostgreSQL': microsecondsOfPostgres,
    })),
  );
  for (const [name, ratio] of Object.entries(ratios)) console.log(`${name}: ${ratio.toFixed(2)}`);
  console.log(`passwords verified per second: ${loginsPerSecond.toFixed(0)}`);
}
child.disconnect();
await database.close();
await postgres.stop();
