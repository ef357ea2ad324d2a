/** The admin command, on PostgreSQL over TLS as the serving role, and on a laptop's folder. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, mock, test } from 'node:test';
import { admin } from '../../src/commands/admin.ts';
import type { Database } from '../../src/database/database.ts';
import { openEmbedded } from '../../src/database/embedded.ts';
import { migrate } from '../../src/database/migrate.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { NO_POSTGRES, type PostgresAddress, postgresDatabase, testPostgres } from '../support/databases.ts';
import { freePort } from '../support/postgres.ts';
import { type PodFiles, podFiles, startProgram } from '../support/process.ts';
import { lastEntry, person, place, uniqueName } from './support.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command in this process, which takes milliseconds; some tests start the program itself. */
async function command(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const said = { log: '', error: '' };
  const before = { ...process.env };
  const spies = (['log', 'error'] as const).map((name) =>
    mock.method(console, name, (text: unknown) => {
      said[name] += `${text}\n`;
    }),
  );
  for (const name of ['CONNECT_BROKER_CONFIG', 'INIT_CWD']) delete process.env[name];
  Object.assign(process.env, environment);
  try {
    return { code: await admin(args), out: said.log, err: said.error };
  } finally {
    process.env = before;
    for (const spy of spies) spy.mock.restore();
  }
}

async function program(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  const started = startProgram(['admin', ...args], environment);
  return { code: await started.exited, output: started.output() };
}

describe('the admin command', () => {
  test('lists its commands', async () => {
    const { code, output } = await program(['--help']);
    assert.equal(code, 0);
    assert.match(output, /make-admin .*\n.*remove-admin/);
  });

  test('shows how a command is used', async () => {
    const { code, out } = await command(['ban', '--help']);
    assert.equal(code, 0);
    assert.match(out, /--reason … +the player reads it/);
  });

  test('gives its exit code to the shell', async () => {
    assert.equal((await program(['make-admin'])).code, 2);
  });

  for (const [title, args, message] of [
    ['a command that does not exist', ['constructor'], /There is no command 'admin constructor'/],
    ['an option that does not exist', ['bans', '--everything'], /Unknown option '--everything'.*'admin bans --help' shows/],
    ['a missing argument', ['make-admin'], /NAME is missing\./],
    ['an argument too many', ['make-admin', 'Ann', 'Bob'], /'Bob' is one argument too many\./],
    ['no broker', ['make-admin', 'Ann'], /Which broker\?.*--home DIR/],
  ] as const) {
    test(`ends with 2 for ${title}`, async () => {
      const { code, err } = await command(args);
      assert.equal(code, 2);
      assert.match(err, message);
    });
  }
});

const noTls = process.env.BROKER_TEST_POSTGRES_CA ? false : 'openssl was not found, so the test PostgreSQL speaks no TLS';

describe('the admin command in the cluster', { skip: NO_POSTGRES || noTls }, () => {
  const address = testPostgres() as PostgresAddress;
  // The serving role, with the rights that the migration grants and no others.
  const role = `serving_${randomBytes(6).toString('hex')}`;
  let fresh: Awaited<ReturnType<typeof postgresDatabase>>;
  let database: Database;
  let broker: TestBroker;
  let files: PodFiles;
  const run = (...args: string[]) => command(args, { CONNECT_BROKER_CONFIG: files.configFile });
  const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out);

  before(async () => {
    fresh = await postgresDatabase(address);
    database = fresh.open();
    await database.query(`create role ${role} login`);
    await migrate(database, role);
    broker = testBroker(database);
    files = await podFiles({ name: fresh.name, address, username: role });
  });
  after(async () => {
    broker.dispose();
    files.dispose();
    await database.query(`drop owned by ${role}`);
    await database.query(`drop role ${role}`);
    await database.close();
    await fresh.drop();
  });

  test('make-admin gives an existing account the role, in any case of its name', async () => {
    const player = await person(broker);
    const { code, out } = await run('make-admin', player.name.toUpperCase());
    assert.deepEqual([code, out], [0, `'${player.name}' is an administrator now.\n`]);
  });

  test('make-admin is in the audit log as done by the command', async () => {
    const player = await person(broker);
    await run('make-admin', player.name);
    const entry = await lastEntry(database, `account:${player.id}`);
    assert.deepEqual([entry?.actor_id, entry?.actor_name], [null, 'command']);
  });

  test('make-admin twice says that nothing has changed', async () => {
    const player = await person(broker);
    await run('make-admin', player.name);
    assert.match((await run('make-admin', player.name)).out, /is an administrator already; nothing has changed\./);
  });

  test('make-admin of nobody ends with 1 and says what to do', async () => {
    const { code, err } = await run('make-admin', 'Nobody');
    assert.equal(code, 1);
    assert.match(err, /There is no account 'Nobody'\. Its owner registers first, or create-account makes it\./);
  });

  test('create-account prints a link once', async () => {
    const name = uniqueName('New');
    const made = await json('create-account', name);
    assert.match(made.url, /^https:\/\/mmo\.example\.org\/#reset=/);
    const stored = await database.query('select password_hash from accounts where id = $1', [made.account.id]);
    assert.deepEqual(stored, [{ password_hash: null }]);
  });

  test('create-account refuses a taken name', async () => {
    const player = await person(broker);
    const { code, err } = await run('create-account', player.name);
    assert.equal(code, 1);
    assert.match(err, /is taken/);
  });

  test('create-account refuses a name that players could not have', async () => {
    assert.match((await run('create-account', 'a b')).err, /The name 'a b' may have letters, numbers/);
  });

  test('reset-link makes one for an administrator too', async () => {
    const player = await person(broker);
    await run('make-admin', player.name);
    assert.match((await json('reset-link', player.name)).url, /#reset=/);
  });

  test('invite makes a code that the list does not show', async () => {
    const { code, id } = await json('invite', '--uses', '3', '--note', 'Guild');
    const { out } = await run('invites');
    assert.match(out, new RegExp(`${id}  3 left`));
    assert.equal(out.includes(code), false);
  });

  test('invite refuses a number that is none', async () => {
    const { code, err } = await run('invite', '--uses', 'many');
    assert.equal(code, 2);
    assert.match(err, /--uses is 'many'; it must be a whole number from 1 to 1000\./);
  });

  test('ban kicks whoever plays, and unban lifts it', async () => {
    const player = await person(broker);
    await (await place(broker, player.id)).claim();
    const made = await json('ban', '--account', player.name, '--reason', 'Botting', '--for', '7d');
    assert.equal(made.removal.kicked, 1);
    const lifted = await json('unban', '--account', player.name);
    assert.equal(lifted.lifted[0].id, made.ban.id);
  });

  test('unban of somebody who is not banned ends with 1', async () => {
    const player = await person(broker);
    const { code, err } = await run('unban', '--account', player.name);
    assert.equal(code, 1);
    assert.match(err, /is not banned\. Its address may be/);
  });

  test('unban lifts every ban of exactly an address', async () => {
    for (const reason of ['one', 'two']) await run('ban', '--address', '203.0.113.0/24', '--reason', reason);
    assert.equal((await json('unban', '--address', '203.0.113.0/24')).lifted.length, 2);
  });

  test('ban refuses a network that is too wide', async () => {
    const { code, err } = await run('ban', '--address', '0.0.0.0/0', '--reason', 'x');
    assert.equal(code, 1);
    assert.match(err, /is wider than \/8/);
  });

  test('ban needs a reason', async () => {
    assert.equal((await run('ban', '--address', '203.0.113.9')).code, 2);
  });

  test('ban refuses a date without its offset', async () => {
    const { code, err } = await run('ban', '--address', '203.0.113.9', '--reason', 'x', '--until', '2090-01-01');
    assert.equal(code, 2);
    assert.match(err, /write it with its offset/);
  });

  test('maintenance begins, is listed and ends', async () => {
    await run('maintenance', 'aurora', '--message', 'New dungeon');
    assert.equal((await run('maintenance')).out, 'aurora: New dungeon\n');
    assert.match((await run('maintenance', 'aurora', '--end')).out, /is open again/);
  });

  test('audit shows what the command did', async () => {
    const player = await person(broker);
    await run('make-admin', player.name);
    assert.match((await run('audit', '--account', player.name)).out, /command {2}account\.role-changed/);
  });

  test('account shows where somebody plays', async () => {
    const player = await person(broker);
    await (await place(broker, player.id)).claim();
    assert.match((await run('account', player.name)).out, /plays +active on world:aurora\/sunreach/);
  });

  test('the program itself works over TLS', async () => {
    const player = await person(broker);
    const { code, output } = await program(['make-admin', player.name], { CONNECT_BROKER_CONFIG: files.configFile });
    assert.deepEqual([code, output], [0, `'${player.name}' is an administrator now.\n`]);
  });

  test('a database that is away ends with 1 and says so', async () => {
    const away = await podFiles({ name: fresh.name, address: { ...address, port: await freePort() }, username: role });
    try {
      const { code, err } = await command(['bans'], { CONNECT_BROKER_CONFIG: away.configFile });
      assert.equal(code, 1);
      assert.match(err, /The database is not available: .* Nothing is known to have changed/);
    } finally {
      away.dispose();
    }
  });
});

describe('the admin command on a laptop', () => {
  let home: string;
  before(async () => {
    home = mkdtempSync(path.join(os.tmpdir(), 'broker-home-'));
    const database = await openEmbedded(path.join(home, 'database'));
    await migrate(database);
    await database.query("insert into accounts (name, name_key) values ('Ann', 'ann')");
    await database.close();
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  test('uses the embedded database of a broker that does not run', async () => {
    assert.equal((await program(['make-admin', 'Ann', '--home', home])).output, "'Ann' is an administrator now.\n");
  });

  test('may be named before the command, as an alias does', async () => {
    assert.equal((await program(['--home', home, 'make-admin', 'Ann'])).code, 0);
  });

  test('takes a folder as people mean it under npm', async () => {
    const { err } = await command(['bans', '--home', 'elsewhere'], { INIT_CWD: home });
    assert.ok(err.includes(path.join(home, 'elsewhere')), err);
  });

  test('refuses while a broker runs there, and says what to do', async () => {
    const lock = path.join(home, 'lock');
    writeFileSync(lock, String(process.pid));
    try {
      const { code, output } = await program(['bans', '--home', home]);
      assert.equal(code, 1);
      assert.match(output, /A broker runs on .* and the embedded database belongs to one process\. End the broker with Ctrl\+C/);
    } finally {
      rmSync(lock);
    }
  });

  test('refuses a folder without a database', async () => {
    const { code, err } = await command(['bans', '--home', path.join(home, 'elsewhere')]);
    assert.equal(code, 1);
    assert.match(err, /There is no broker's database in/);
  });
});
