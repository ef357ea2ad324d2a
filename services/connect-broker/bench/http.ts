/**
 * `npm run bench -w connect-broker`: what the list of realms and connect cost, against a bare server of the same framework in the same process and run.
 * It deliberately prints ratios beside figures (a figure belongs to one machine, a ratio to the program) and processor time beside rates: where others work too, a rate says
 * nothing. Whoever changes something compares with the state before it, `--against` a second checkout: both run in turns, so that whatever else goes on meets both.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { build } from 'esbuild';
import { programOptions } from '../build-options.mjs';
import { passwordHasher } from '../src/accounts/passwords.ts';
import type { Database } from '../src/database/database.ts';
import { openPostgres } from '../src/database/postgres.ts';
import { writePage } from '../src/page/build.ts';
import { startTestPostgres } from '../test/support/postgres.ts';

/** Linux's USER_HZ is 100 everywhere. */
const TICK_MICROSECONDS = 10_000;
const THIS_CHECKOUT = path.join(import.meta.dirname, '../../..');

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    realms: { type: 'string', default: '1000' },
    accounts: { type: 'string', default: '6000' },
    connections: { type: 'string', default: '32' },
    only: { type: 'string' },
    against: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`npm run bench -w connect-broker -- [options]

  --seconds N        of each measurement (${values.seconds})
  --rounds N         measurements of each request, in turns; the median counts (${values.rounds})
  --realms N         in the list (${values.realms})
  --accounts N       that connect (${values.accounts})
  --connections N    open at once (${values.connections})
  --only A,B         these requests alone: bare list, realms, bare round trip, bare write, bare connect, connect
  --against DIR      measures realms and connect of another checkout (with its packages installed) too, in the same turns
  --profile DIR      writes V8's profile of this checkout's broker there
  --json`);
  process.exit();
}
const started = await startTestPostgres();
if (!started) throw new Error('The bench needs PostgreSQL (Debian: apt install postgresql).');
const postgres = started;
const open = (name: string) =>
  openPostgres({
    host: '127.0.0.1',
    port: postgres.port,
    name,
    poolSize: 2,
    applicationName: 'bench',
    credentials: { username: postgres.superuser },
  });
const administration = open('postgres');

/** A broker of one checkout with its bare routes, on a database of its own. */
interface Subject {
  readonly child: ChildProcess;
  readonly database: Database;
  readonly databaseName: string;
  readonly ports: { readonly broker: number; readonly bare: number; readonly bytes: number };
  readonly tokens: readonly string[];
  readonly characters: readonly string[];
}

async function start(checkout: string, databaseName: string, profile?: string): Promise<Subject> {
  const service = path.join(checkout, 'services/connect-broker');
  await administration.query(`create database ${databaseName}`);
  const database = open(databaseName);
  const { migrate } = (await import(path.join(service, 'src/database/migrate.ts'))) as typeof import('../src/database/migrate.ts');
  await migrate(database);
  // As the image has it: sources that are compiled while they run are slower, and not evenly.
  // (Within node_modules, because packages with compiled parts are found from where the program is.)
  const cache = path.join(checkout, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const built = mkdtempSync(path.join(cache, 'bench-'));
  process.once('exit', () => rmSync(built, { recursive: true, force: true }));
  // The broker in a chunk of its own, as in the image: a file of it that is also a command must not take itself for what was started.
  const entryPoints = { server: path.join(service, 'bench/server.ts'), broker: path.join(service, 'src/server.ts') };
  await build({ ...programOptions, entryPoints, outdir: built });
  await writePage(path.join(built, 'page-bundle'));
  const child = fork(path.join(built, 'server.mjs'), [String(postgres.port), postgres.superuser, databaseName, values.realms], {
    execArgv: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const message = <T>() =>
    new Promise<T>((resolve, reject) => {
      child.once('message', (value) => resolve(value as T));
      child.once('exit', (code) => reject(new Error(`The broker of ${checkout} has ended with ${code}.`)));
    });
  const ports = await message<Subject['ports']>();

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
  return { child, database, databaseName, ports, tokens, characters: characters.map(({ id }) => id) };
}

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
const connects = ({ tokens, characters }: Subject, path: (index: number) => string) =>
  prepared(
    tokens.map((token, index) => ({
      method: 'POST',
      path: path(index),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-forwarded-for': address(index) },
      body: JSON.stringify({ characterId: characters[index] }),
    })),
  );
type Case = { readonly subject: Subject; readonly run: () => Promise<autocannon.Result> };
const bareCases = (subject: Subject): Record<string, Case> => {
  const url = `http://127.0.0.1:${subject.ports.bare}`;
  return {
    'bare list': { subject, run: () => load({ url: `${url}/realms` }) },
    'bare round trip': { subject, run: () => load({ url: `${url}/round-trip`, method: 'POST' }) },
    'bare write': { subject, run: () => load({ url: `${url}/write`, method: 'POST' }) },
    'bare connect': { subject, run: () => load({ url, ...connects(subject, () => '/least') }) },
  };
};
const brokerCases = (subject: Subject, suffix = ''): Record<string, Case> => {
  const url = `http://127.0.0.1:${subject.ports.broker}`;
  const lists = subject.tokens.map((_, index) => ({
    method: 'GET' as const,
    path: '/v1/realms',
    headers: { 'x-forwarded-for': address(index) },
  }));
  return {
    [`realms${suffix}`]: { subject, run: () => load({ url, ...prepared(lists) }) },
    [`connect${suffix}`]: {
      subject,
      run: () => load({ url, ...connects(subject, (index) => `/v1/realms/realm-${index % Number(values.realms)}/connect`) }),
    },
  };
};

/** Processor time in µs that a broker's process and PostgreSQL's of its database and of all have used so far; none where there is no /proc. */
async function processorTime({ child, databaseName }: Subject): Promise<{ readonly node: number; readonly postgres: number } | undefined> {
  if (!existsSync('/proc/self/stat')) return undefined;
  const backends = await administration.query<{ pid: number }>('select pid from pg_stat_activity where datname = $1 or datname is null', [
    databaseName,
  ]);
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

const subject = await start(THIS_CHECKOUT, 'bench', values.profile);
const before = values.against === undefined ? undefined : await start(path.resolve(values.against), 'bench_before');
const subjects = before ? [subject, before] : [subject];

const figures = new Map<string, { perSecond: number[]; p99: number[]; not2xx: number; node: number[]; postgres: number[] }>();
const chosen = Object.entries({ ...bareCases(subject), ...brokerCases(subject) }).filter(
  ([name]) => values.only === undefined || values.only.split(',').includes(name),
);
if (before) {
  const names = new Set(chosen.map(([name]) => `${name} before`));
  chosen.push(...Object.entries(brokerCases(before, ' before')).filter(([name]) => names.has(name)));
}
// A service runs for days: the first seconds, while V8 compiles, are not what is asked.
for (const [, { run }] of chosen) await run();
// So does autovacuum, within a minute: plans that were made for empty tables end.
for (const { database } of subjects) await database.query('analyze');
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, { run, subject: of }] of chosen) {
    const before = await processorTime(of);
    const result = await run();
    const after = await processorTime(of);
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
const begun = performance.now();
await Promise.all(Array.from({ length: logins }, () => hasher.verify(hash, 'correct horse battery')));
const loginsPerSecond = (logins / (performance.now() - begun)) * 1000;

const rows = [...figures].map(([name, { perSecond, p99, not2xx, node, postgres }]) => ({
  name,
  perSecond: Math.round(median(perSecond)),
  p99: median(p99),
  not2xx,
  microsecondsOfNode: Math.round(median(node)),
  microsecondsOfPostgres: Math.round(median(postgres)),
}));
const cost = (name: string) => median(figures.get(name)?.node ?? []) + median(figures.get(name)?.postgres ?? []);
const measured = ([, value]: [string, number]) => Number.isFinite(value) && value > 0;
const ratios = Object.fromEntries(
  Object.entries({
    'realms / bare list': of('realms') / of('bare list'),
    'connect / bare round trip (select 1)': of('connect') / of('bare round trip'),
    'connect / bare write (one row)': of('connect') / of('bare write'),
    'connect / bare connect (the least that it could be)': of('connect') / of('bare connect'),
    // On a machine with others on it, the only ones that say something.
    'processor time of bare list / realms': cost('bare list') / cost('realms'),
    'processor time of bare round trip / connect': cost('bare round trip') / cost('connect'),
    'processor time of bare write / connect': cost('bare write') / cost('connect'),
    'processor time of realms before / now': cost('realms before') / cost('realms'),
    'processor time of connect before / now': cost('connect before') / cost('connect'),
  }).filter(measured),
);
if (values.json) console.log(JSON.stringify({ rows, ratios, loginsPerSecond, listBytes: subject.ports.bytes }, null, 2));
else {
  console.log(
    `${values.realms} realms (a list of ${subject.ports.bytes} bytes), ${values.connections} connections, ${values.seconds} s, median of ${values.rounds}`,
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
for (const { child, database } of subjects) {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.disconnect();
  await exited;
  await database.close();
}
await administration.close();
await postgres.stop();
