/** Sessions: how they are presented, from where, how long they last, and how they end. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { presentedSession, requireAdmin } from '../../src/accounts/authenticate.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { logIn, newPlayer, ORIGIN, type Player, quickPasswords, type RequestOptions, send } from './support.ts';

const COOKIE = '__Host-session';

onDatabase('sessions', (database) => {
  let broker: TestBroker;
  let application: Application;
  before(async () => {
    broker = testBroker(database(), testSettings(), { passwords: quickPasswords() });
    application = await publicApplication(broker);
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });
  const me = (options: RequestOptions) => send(application, 'GET', '/v1/account', options);
  const byCookie = async (player: Player, cookies: Record<string, string> = {}) => {
    const answer = await logIn(application, { ...player, kind: 'cookie' }, { headers: { origin: ORIGIN }, cookies });
    return { value: answer.cookies.find(({ name }) => name === COOKIE)?.value ?? '', answer };
  };
  const age = (sessionId: string, interval: string) =>
    database().query(
      'update sessions set created_at = created_at - $2::interval, last_used_at = last_used_at - $2::interval, expires_at = expires_at - $2::interval where id = $1',
      [sessionId, interval],
    );

  test('without a session there is a 401 that says so', async () => {
    const { status, body } = await me({});
    assert.deepEqual([status, body.code], [401, 'not-logged-in']);
  });

  for (const token of ['x', 'A'.repeat(43), `${'A'.repeat(43)} `, `${'A'.repeat(42)}é`, 'A'.repeat(8000), '', '\u0000', '../../etc']) {
    test(`${JSON.stringify(token.slice(0, 12))}… (${token.length}) is no session`, async () => {
      assert.equal((await me({ headers: { authorization: `Bearer ${encodeURI(token)}` } })).status, 401);
    });
  }

  test('the cookie is kept from scripts, other sites, other hosts and plain HTTP', async () => {
    const { answer } = await byCookie(await newPlayer(application));
    const { httpOnly, secure, sameSite, path, domain } = answer.cookies[0] as Record<string, unknown>;
    assert.deepEqual(
      { httpOnly, secure, sameSite, path, domain },
      { httpOnly: true, secure: true, sameSite: 'Strict', path: '/', domain: undefined },
    );
  });

  test('a laptop without TLS has a cookie that its browser takes', async () => {
    const laptop = testBroker(database(), testSettings({ publicUrl: 'http://localhost:8080' }), { passwords: quickPasswords() });
    const other = await publicApplication(laptop);
    const player = await newPlayer(other);
    const answer = await logIn(other, { ...player, kind: 'cookie' }, { headers: { origin: 'http://localhost:8080' } });
    await other.close();
    laptop.dispose();
    assert.deepEqual(
      answer.cookies.map(({ name, secure }) => [name, secure]),
      [['session', undefined]],
    );
  });

  for (const [origin, host, status] of [
    ['http://127.0.0.1:8080', '127.0.0.1:8080', 201],
    ['http://localhost:3000', 'localhost:8080', 403],
    ['http://evil.example:8080', 'evil.example:8080', 403],
    ['http://localhost.evil.example:8080', 'localhost:8080', 403],
  ] as const) {
    test(`on a laptop a page of ${origin} at ${host} is ${status === 201 ? 'ours' : "another's"}`, async () => {
      const laptop = testBroker(database(), testSettings({ publicUrl: 'http://localhost:8080' }), { passwords: quickPasswords() });
      const other = await publicApplication(laptop);
      const player = await newPlayer(other);
      const answer = await logIn(other, { ...player, kind: 'cookie' }, { headers: { origin, host } });
      await other.close();
      laptop.dispose();
      assert.equal(answer.status, status);
    });
  }

  test('a cookie reads from our page', async () => {
    const { value } = await byCookie(await newPlayer(application));
    assert.equal((await me({ cookies: { [COOKIE]: value } })).status, 200);
  });

  for (const [what, headers] of [
    ['no origin', {}],
    ['another site', { origin: 'https://evil.example' }],
    ['a part of our domain', { origin: 'https://forum.mmo.example.org' }],
    ['a sandboxed page', { origin: 'null' }],
    ['our host without TLS', { origin: 'http://mmo.example.org' }],
    ['our host on another port', { origin: 'https://mmo.example.org:8443' }],
    ['an origin that the browser calls cross-site', { origin: ORIGIN, 'sec-fetch-site': 'cross-site' }],
    ['an origin that the browser calls same-site', { origin: ORIGIN, 'sec-fetch-site': 'same-site' }],
  ] as const) {
    test(`a cookie from ${what} changes nothing`, async () => {
      const { value } = await byCookie(await newPlayer(application));
      const answer = await send(application, 'DELETE', '/v1/sessions', { cookies: { [COOKIE]: value }, headers });
      assert.deepEqual([answer.body.code, (await me({ cookies: { [COOKIE]: value } })).status], ['wrong-origin', 200]);
    });
  }

  test('a cookie from our own page changes what it asks for', async () => {
    const { value } = await byCookie(await newPlayer(application));
    const answer = await send(application, 'DELETE', '/v1/sessions/current', {
      cookies: { [COOKIE]: value },
      headers: { origin: ORIGIN, 'sec-fetch-site': 'same-origin' },
    });
    assert.equal(answer.status, 204);
  });

  test("a bearer's token is no cookie", async () => {
    const { token } = await newPlayer(application);
    assert.equal((await me({ cookies: { [COOKIE]: token } })).status, 401);
  });

  test("a cookie's token is no bearer", async () => {
    const { value } = await byCookie(await newPlayer(application));
    assert.equal((await me({ token: value })).status, 401);
  });

  test('a bearer needs no origin', async () => {
    const { token } = await newPlayer(application);
    assert.equal((await send(application, 'DELETE', '/v1/sessions/current', { token })).status, 204);
  });

  test('a session that was planted before a log-in is not the one after it', async () => {
    const attacker = await byCookie(await newPlayer(application));
    const victim = await byCookie(await newPlayer(application), { [COOKIE]: attacker.value });
    assert.notEqual(victim.value, attacker.value);
  });

  test('a browser that logs in again leaves no session behind', async () => {
    const player = await newPlayer(application);
    const first = await byCookie(player);
    await byCookie(player, { [COOKIE]: first.value });
    assert.equal((await me({ cookies: { [COOKIE]: first.value } })).status, 401);
  });

  test('a token is of no use after logging out', async () => {
    const { token } = await newPlayer(application);
    await send(application, 'DELETE', '/v1/sessions/current', { token });
    assert.equal((await me({ token })).status, 401);
  });

  test('logging out takes the cookie away', async () => {
    const { value } = await byCookie(await newPlayer(application));
    const answer = await send(application, 'DELETE', '/v1/sessions/current', { cookies: { [COOKIE]: value }, headers: { origin: ORIGIN } });
    assert.deepEqual(
      answer.cookies.map(({ name, value: left }) => [name, left]),
      [[COOKIE, '']],
    );
  });

  test('logging out everywhere ends all sessions, this one too', async () => {
    const player = await newPlayer(application);
    const { token } = (await logIn(application, player)).body;
    const { body } = await send(application, 'DELETE', '/v1/sessions', { token });
    const statuses = [await me({ token }), await me({ token: player.token })].map(({ status }) => status);
    assert.deepEqual([body.sessionsEnded, statuses], [2, [401, 401]]);
  });

  test('logging out everywhere leaves other accounts alone', async () => {
    const [one, other] = [await newPlayer(application), await newPlayer(application)];
    await send(application, 'DELETE', '/v1/sessions', { token: one.token });
    assert.equal((await me({ token: other.token })).status, 200);
  });

  test('sessions are listed with the device that was told, and which one is asking', async () => {
    const player = await newPlayer(application);
    const { token } = (await logIn(application, { ...player, device: 'Game on Linux' })).body;
    const { sessions } = (await send(application, 'GET', '/v1/sessions', { token })).body;
    assert.deepEqual(sessions.map((session: { device: string; current: boolean }) => [session.device, session.current]).sort(), [
      ['', false],
      ['Game on Linux', true],
    ]);
  });

  test('one session can end another of its account', async () => {
    const player = await newPlayer(application);
    const other = (await logIn(application, player)).body;
    await send(application, 'DELETE', `/v1/sessions/${other.session.id}`, { token: player.token });
    assert.equal((await me({ token: other.token })).status, 401);
  });

  test('a session of another account cannot be ended, and does not seem to exist', async () => {
    const [one, other] = [await newPlayer(application), await newPlayer(application)];
    const answer = await send(application, 'DELETE', `/v1/sessions/${other.sessionId}`, { token: one.token });
    assert.deepEqual([answer.status, (await me({ token: other.token })).status], [404, 200]);
  });

  test('a device with control characters is refused', async () => {
    const player = await newPlayer(application);
    assert.equal((await logIn(application, { ...player, device: 'a\u202eb' })).status, 422);
  });

  test('a session that was not used for 30 days has ended', async () => {
    const player = await newPlayer(application);
    await age(player.sessionId, '30 days 1 s');
    assert.equal((await me({ token: player.token })).status, 401);
  });

  test('a session that is used lasts 30 days more', async () => {
    const player = await newPlayer(application);
    await age(player.sessionId, '29 days');
    await me({ token: player.token });
    await age(player.sessionId, '29 days');
    assert.equal((await me({ token: player.token })).status, 200);
  });

  test('a session that was used within the hour is not written', async () => {
    const player = await newPlayer(application);
    await age(player.sessionId, '59 minutes');
    const last = () => database().query('select last_used_at, expires_at from sessions where id = $1', [player.sessionId]);
    const before = await last();
    await me({ token: player.token });
    assert.deepEqual(await last(), before);
  });

  test('the 21st session ends the one that was used longest ago', async () => {
    const player = await newPlayer(application);
    await age(player.sessionId, '1 day');
    for (let sessions = 0; sessions < 20; sessions++) await logIn(application, player, { from: player.address });
    assert.equal((await me({ token: player.token })).status, 401);
  });

  test('an account has at most twenty sessions', async () => {
    const player = await newPlayer(application);
    for (let sessions = 0; sessions < 22; sessions++) await logIn(application, player, { from: player.address });
    const [row] = await database().query<{ count: number }>('select count(*)::int as count from sessions where account_id = $1', [
      player.accountId,
    ]);
    assert.equal(row?.count, 20);
  });

  test('a presented session is found without the database', () => {
    const { candidates, kind } = presentedSession(
      broker,
      { headers: { authorization: `Bearer ${'A'.repeat(43)}` }, cookies: {}, method: 'POST' },
      { changes: true },
    );
    assert.deepEqual([candidates.length, kind], [1, 'bearer']);
  });

  test('a bearer token counts before a cookie', () => {
    const { kind } = presentedSession(
      broker,
      { headers: { authorization: `bearer ${'A'.repeat(43)}` }, cookies: { [COOKIE]: 'B'.repeat(43) }, method: 'GET' },
      { changes: false },
    );
    assert.equal(kind, 'bearer');
  });

  test('a player is no administrator', async () => {
    const { token } = await newPlayer(application);
    await assert.rejects(requireAdmin(broker, { headers: { authorization: `Bearer ${token}` }, cookies: {}, method: 'GET' }), {
      code: 'not-allowed',
    });
  });

  test('an administrator is one', async () => {
    const { token, accountId } = await newPlayer(application);
    await database().query("update accounts set role = 'admin' where id = $1", [accountId]);
    const { role } = await requireAdmin(broker, { headers: { authorization: `Bearer ${token}` }, cookies: {}, method: 'GET' });
    assert.equal(role, 'admin');
  });

  test('no answer may be kept by a cache', async () => {
    const { token } = await newPlayer(application);
    assert.equal((await me({ token })).headers['cache-control'], 'no-store');
  });
});
