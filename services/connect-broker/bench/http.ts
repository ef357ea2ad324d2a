/**
 * `npm run bench -w connect-broker`: requests per second of the list of realms and of connect, against a bare server of the same framework in the same process and run.
 * It deliberately prints ratios beside figures: a figure belongs to one machine, a ratio to the program.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { passwordHasher } from '../src/accounts/passwords.ts';
import { migrate } from '../src/database/migrate.ts';
import { openPostgres } from '../src/database/postgres.ts';
import { startTestPostgres } from '../test/support/postgres.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    realms: { type: 'string', default: '1000' },
    accounts: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '32' },
    only: { type: 'string' },
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
  execArgv: ['--import', 'tsx', '--conditions=source'],
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
let turn = 0;
const load = (options: autocannon.Options): Promise<autocannon.Result> =>
  autocannon({ connections: Number(values.connections), duration: Number(values.seconds), ...options });
const cases: Record<string, () => Promise<autocannon.Result>> = {
  'bare list': () => load({ url: `http://127.0.0.1:${ports.bare}/realms` }),
  realms: () =>
    load({
      url: `http://127.0.0.1:${ports.broker}/v1/realms`,
      requests: [{ setupRequest: (request) => ({ ...request, headers: { 'x-forwarded-for': address(turn++) } }) }],
    }),
  'bare round trip': () => load({ url: `http://127.0.0.1:${ports.bare}/round-trip`, method: 'POST' }),
  'bare write': () => load({ url: `http://127.0.0.1:${ports.bare}/write`, method: 'POST' }),
  connect: () =>
    load({
      url: `http://127.0.0.1:${ports.broker}`,
      requests: [
        {
          method: 'POST',
          setupRequest: (request) => {
            const index = turn++ % tokens.length;
            return {
              ...request,
              path: `/v1/realms/realm-${turn % Number(values.realms)}/connect`,
              headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[index]}`, 'x-forwarded-for': address(turn) },
              body: JSON.stringify({ characterId: characters[index]?.id }),
            };
          },
        },
      ],
    }),
};
const figures = new Map<string, { perSecond: number[]; p99: number[]; not2xx: number }>();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, run] of Object.entries(cases)) {
    if (values.only !== undefined && !values.only.split(',').includes(name)) continue;
    const result = await run();
    const entry = figures.get(name) ?? { perSecond: [], p99: [], not2xx: 0 };
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

const rows = [...figures].map(([name, { perSecond, p99, not2xx }]) => ({
  name,
  perSecond: Math.round(median(perSecond)),
  p99: median(p99),
  not2xx,
}));
const ratios = {
  'realms / bare list': of('realms') / of('bare list'),
  'connect / bare round trip (select 1)': of('connect') / of('bare round trip'),
  'connect / bare write (one row)': of('connect') / of('bare write'),
};
if (values.json) console.log(JSON.stringify({ rows, ratios, loginsPerSecond, listBytes: ports.bytes }, null, 2));
else {
  console.log(
    `${values.realms} realms (a list of ${ports.bytes} bytes), ${values.connections} connections, ${values.seconds} s, median of ${values.rounds}`,
  );
  console.table(
    rows.map(({ name, perSecond, p99, not2xx }) => ({ request: name, 'per second': perSecond, 'p99 ms': p99, 'not 2xx': not2xx })),
  );
  for (const [name, ratio] of Object.entries(ratios)) console.log(`${name}: ${ratio.toFixed(2)}`);
  console.log(`passwords verified per second: ${loginsPerSecond.toFixed(0)}`);
}
child.disconnect();
await database.close();
await postgres.stop();
