/** The command-line client against a listening broker: what it writes, what it says, and how it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, it, type TestContext } from 'node:test';
import { connect, EXIT, parseOptions } from '../../client/main.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { addPlayer } from '../realms/support.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';

const PASSWORD = 'correct horse battery';

onDatabase('The command-line client', (database) => {
  let broker: TestBroker;
  let application: Application;
  let url: string;
  let folder: string;
  let output: string;
  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    await application.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(application.server.address() as AddressInfo).port}`;
    folder = mkdtempSync(path.join(os.tmpdir(), 'broker-client-'));
    process.env.BROKER_PASSWORD = PASSWORD;
  });
  after(async () => {
    delete process.env.BROKER_PASSWORD;
    rmSync(folder, { recursive: true, force: true });
    await application.close();
    broker.dispose();
  });
  beforeEach(() => {
    output = path.join(folder, `${crypto.randomUUID()}.bin`);
  });

  /** Runs it in this process; gives its exit status and what it wrote. */
  const run = async (context: TestContext, ...args: string[]) => {
    const out = context.mock.method(console, 'log', () => undefined);
    const err = context.mock.method(process.stderr, 'write', () => true);
    const status = await connect(['--url', url, '--output', output, ...args]);
    const said = out.mock.calls.map((call) => String(call.arguments[0])).join('\n');
    const told = err.mock.calls.map((call) => String(call.arguments[0])).join('');
    out.mock.restore();
    err.mock.restore();
    return { status, said, told };
  };
  const player = (name: string) => ['--name', name, '--register', '--realm', 'aurora', '--continent', 'sunreach'];

  it('writes a token of the standard’s form', async (context) => {
    const { status } = await run(context, ...player('standard'));
    const token = readFileSync(output);
    assert.deepEqual([status, token.length, token.subarray(0, 12).toString()], [EXIT.done, 2048, 'NETCODE 1.02']);
  });

  it('writes a token of renet’s form', async (context) => {
    const { said } = await run(context, ...player('renet'), '--encoding', 'renet', '--json');
    const token = readFileSync(output);
    assert.equal(token.readBigUInt64LE(0), BigInt((JSON.parse(said) as { clientId: string }).clientId));
  });

  it('writes a file that its owner alone can read', async (context) => {
    await run(context, ...player('private'));
    assert.equal(statSync(output).mode & 0o777, 0o600);
  });

  it('says as JSON what it has done', async (context) => {
    const { said } = await run(context, ...player('json'), '--json');
    const { file, encoding, realm, character } = JSON.parse(said) as Record<string, string>;
    assert.deepEqual({ file, encoding, realm, character }, { file: output, encoding: 'standard', realm: 'aurora', character: 'json' });
  });

  it('logs in when the account that it should make is there', async (context) => {
    await run(context, ...player('twice'));
    assert.equal((await run(context, ...player('twice'))).status, EXIT.done);
  });

  it('shows the recovery codes of an account that it makes, apart from its output', async (context) => {
    const { told } = await run(context, ...player('codes'), '--json');
    assert.match(told, /recovery codes.*\n.*[0-9A-Z]{4}-[0-9A-Z]{4}/);
  });

  it('leaves no session behind', async (context) => {
    await run(context, ...player('leaver'));
    const sessions = await database().query(`select 1 from sessions join accounts on accounts.id = account_id where name = 'leaver'`);
    assert.equal(sessions.length, 0);
  });

  it('keeps the session where it is told to, for its owner alone', async (context) => {
    const session = path.join(folder, 'kept');
    await run(context, ...player('keeper'), '--session', session);
    assert.equal(statSync(session).mode & 0o777, 0o600);
  });

  it('needs no password with a kept session', async (context) => {
    const session = path.join(folder, 'reused');
    await run(context, ...player('reuser'), '--session', session);
    process.env.BROKER_PASSWORD = 'a wrong password, not asked for';
    const { status } = await run(context, '--name', 'reuser', '--realm', 'aurora', '--continent', 'sunreach', '--session', session);
    process.env.BROKER_PASSWORD = PASSWORD;
    assert.equal(status, EXIT.done);
  });

  it('logs in anew when the kept session has ended', async (context) => {
    const session = path.join(folder, 'ended');
    await run(context, ...player('ended'), '--session', session);
    await database().query(`delete from sessions using accounts where accounts.id = account_id and name = 'ended'`);
    assert.equal((await run(context, ...player('ended'), '--session', session)).status, EXIT.done);
  });

  it('refuses a kept session that others can read', async (context) => {
    const session = path.join(folder, 'open');
    await run(context, ...player('opener'), '--session', session);
    chmodSync(session, 0o644);
    const { status, told } = await run(context, ...player('opener'), '--session', session);
    assert.deepEqual([status, /chmod 600/.test(told)], [EXIT.failed, true]);
  });

  it('ends with 4 when the password is wrong', async (context) => {
    await run(context, ...player('wrong'));
    process.env.BROKER_PASSWORD = 'not the password';
    const { status } = await run(context, '--name', 'wrong', '--realm', 'aurora');
    process.env.BROKER_PASSWORD = PASSWORD;
    assert.equal(status, EXIT.credentials);
  });

  it('ends with 5 and says what is needed when the client does not fit', async (context) => {
    const { status, told } = await run(context, ...player('outdated'), '--build', '0.0.1');
    assert.ok(status === EXIT.outdated && told.includes('https://example.org/client'), `${status} ${told}`);
  });

  it('ends with 6 when there is no such realm', async (context) => {
    await run(context, ...player('nowhere'));
    assert.equal((await run(context, '--name', 'nowhere', '--realm', 'atlantis')).status, EXIT.refused);
  });

  it('makes no character unless it is told to', async (context) => {
    await run(context, ...player('single'));
    const { status, told } = await run(context, '--name', 'single', '--realm', 'aurora', '--character', 'other');
    assert.ok(status === EXIT.refused && told.includes('It has single'), `${status} ${told}`);
  });

  it('ends with 3 and waits for nothing when the realm is full', async (context) => {
    await addPlayer(broker, 'world:umbra/nightfall', 'active');
    await addPlayer(broker, 'world:umbra/nightfall', 'active');
    const { status } = await run(context, '--name', 'impatient', '--register', '--realm', 'umbra');
    const waiting = await database().query('select 1 from queue_entries');
    assert.deepEqual([status, waiting.length, existsSync(output)], [EXIT.waiting, 0, false]);
  });

  it('gives its place up when the time for waiting is over', async (context) => {
    const { status } = await run(context, '--name', 'patient', '--register', '--realm', 'umbra', '--wait', '--timeout', '1');
    const waiting = await database().query('select 1 from queue_entries');
    assert.deepEqual([status, waiting.length], [EXIT.waiting, 0]);
  });

  it('waits until it is its turn', async (context) => {
    const running = run(context, '--name', 'waiter', '--register', '--realm', 'umbra', '--wait', '--json');
    while ((await database().query('select 1 from queue_entries')).length === 0) await new Promise((done) => setTimeout(done, 20));
    await database().query(`update play_sessions set state = 'ended', ended_at = now() where server_id = 'world:umbra/nightfall'`);
    assert.equal((await running).status, EXIT.done);
  });

  it('takes the password from the first line of its input', async () => {
    await connectOnce();
    const environment = { ...process.env };
    delete environment.BROKER_PASSWORD;
    const main = path.join(import.meta.dirname, '../../client/main.ts');
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=source', main, '--url', url, '--name', 'typist', '--realm', 'aurora', '--output', output],
      { env: environment, stdio: ['pipe', 'ignore', 'pipe'] },
    );
    let told = '';
    child.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    child.stdin.end(`${PASSWORD}\n`);
    const status = await new Promise((resolve) => child.once('exit', resolve));
    assert.deepEqual([status, told], [0, '']);
  });
  const connectOnce = async () => {
    const answer = await fetch(`${url}/v1/accounts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'typist', password: PASSWORD }),
    });
    const { token } = (await answer.json()) as { token: string };
    await fetch(`${url}/v1/characters`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: 'typist', realm: 'aurora' }),
    });
  };

  it('says that an instance has no server yet, and waits only when asked to', async (context) => {
    await run(context, ...player('delver'));
    const { status, told } = await run(context, '--name', 'delver', '--instance', 'dungeon');
    assert.deepEqual([status, /the server is starting/.test(told)], [EXIT.waiting, true]);
  });

  it('says that no broker answers', async (context) => {
    const { status, told } = await run(context, '--name', 'x', '--realm', 'aurora', '--url', 'http://127.0.0.1:1');
    assert.ok(status === EXIT.failed && told.includes('http://127.0.0.1:1 does not answer'), `${status} ${told}`);
  });
});

describe('The command-line client’s arguments', () => {
  it('are told with all their mistakes at once', () =>
    assert.throws(
      () => parseOptions(['--encoding', 'zip', '--url', 'ftp://x', '--timeout', '0']),
      (error: Error) => error.message.split('\n').length === 6,
    ));
  it('name a realm or an instance, and not both', () =>
    assert.throws(() => parseOptions(['--name', 'a', '--realm', 'b', '--instance', 'c']), /--instance is instead of --realm/));
  it('need no realm with an instance', () => assert.equal(parseOptions(['--name', 'a', '--instance', 'dungeon'])?.instance, 'dungeon'));
  it('have no password', () => assert.throws(() => parseOptions(['--name', 'a', '--realm', 'b', '--password', 'c']), /--password/));
  it('are not needed for help', () => assert.equal(parseOptions(['--help']), undefined));
});
