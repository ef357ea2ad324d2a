/** Making an account: who may, under which name and password, and what comes back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeInvite } from '../../src/accounts/invites.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { freshAddress, freshName, logIn, newPlayer, ORIGIN, PASSWORD, quickPasswords, send } from './support.ts';

onDatabase('registration', (database) => {
  const brokers: TestBroker[] = [];
  let open: Application;
  let invite: Application;
  let closed: Application;
  const application = async (registration: string) => {
    const broker = testBroker(database(), testSettings({ registration }), { passwords: quickPasswords() });
    brokers.push(broker);
    return publicApplication(broker);
  };
  before(async () => {
    open = await application('open');
    invite = await application('invite');
    closed = await application('closed');
  });
  after(async () => {
    for (const each of [open, invite, closed]) await each?.close();
    for (const broker of brokers) broker.dispose();
  });
  const register = (body: object, where = open) =>
    send(where, 'POST', '/v1/accounts', { body: { name: freshName(), password: PASSWORD, ...body } });

  test('an account is made with a bearer session', async () => {
    const { token } = await newPlayer(open);
    assert.equal((await send(open, 'GET', '/v1/account', { token })).status, 200);
  });

  test('the answer has ten different recovery codes', async () => {
    const { recoveryCodes } = await newPlayer(open);
    assert.equal(new Set(recoveryCodes).size, 10);
  });

  test('a recovery code is four groups of four', async () => {
    const { recoveryCodes } = await newPlayer(open);
    for (const code of recoveryCodes) assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
  });

  test('the database has neither the password nor a token nor a code as it is', async () => {
    const player = await newPlayer(open);
    const rows = await database().query<{ everything: string }>(
      `select coalesce(string_agg(t::text, ' '), '') as everything from (
         select to_jsonb(accounts)::text as t from accounts union all select to_jsonb(sessions)::text from sessions
         union all select to_jsonb(recovery_codes)::text from recovery_codes) as t`,
    );
    const everything = rows[0]?.everything ?? '';
    const secrets = [
      player.password,
      player.token,
      ...player.recoveryCodes,
      ...player.recoveryCodes.map((code) => code.replaceAll('-', '')),
    ];
    assert.deepEqual(
      secrets.filter((secret) => everything.includes(secret)),
      [],
    );
  });

  test('a page that registers gets a cookie and no token in the answer', async () => {
    const answer = await send(open, 'POST', '/v1/accounts', {
      body: { name: freshName(), password: PASSWORD, kind: 'cookie' },
      headers: { origin: ORIGIN },
    });
    assert.deepEqual(
      { token: answer.body.token, cookie: answer.cookies.map(({ name }) => name) },
      { token: undefined, cookie: ['__Host-session'] },
    );
  });

  test('another site cannot make its visitors register', async () => {
    const answer = await send(open, 'POST', '/v1/accounts', {
      body: { name: freshName(), password: PASSWORD, kind: 'cookie' },
      headers: { origin: 'https://evil.example' },
    });
    assert.equal(answer.body.code, 'wrong-origin');
  });

  for (const [why, twin] of [
    ['case', (name: string) => name.toUpperCase()],
    ['full-width letters', (name: string) => name.replace('A', 'Ａ')],
  ] as const) {
    test(`a name that differs in ${why} only is taken`, async () => {
      const { name } = await newPlayer(open);
      assert.equal((await register({ name: twin(name) })).body.code, 'name-taken');
    });
  }

  test('one of many at the same time gets a name', async () => {
    const name = freshName();
    const answers = await Promise.all(Array.from({ length: 10 }, () => register({ name })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(9).fill(409)]);
  });

  test('names of other alphabets are allowed', async () => {
    const suffix = Math.floor(Math.random() * 1e9);
    for (const name of [`Þórdís${suffix}`, `Иван${suffix}`, `さくら${suffix}`, `محمد${suffix}`]) {
      assert.equal((await register({ name })).status, 201, name);
    }
  });

  test('all mistakes of a request are told at once', async () => {
    const answer = await register({ name: 'a b', password: 'short', email: 'nobody' });
    assert.deepEqual(answer.body.mistakes.map(({ at }: { at: string }) => at).sort(), ['/email', '/name', '/password']);
  });

  test('a mistake does not repeat the password', async () => {
    const answer = await register({ password: 'sesame-42' });
    assert.ok(answer.status === 422 && !JSON.stringify(answer.body).includes('sesame-42'));
  });

  test('a name of ten thousand characters is refused', async () => {
    assert.equal((await register({ name: 'x'.repeat(10_000) })).status, 422);
  });

  test('a body of a megabyte is refused', async () => {
    assert.equal((await register({ name: 'x'.repeat(1_000_000) })).body.code, 'too-large');
  });

  test('the password may not be the name', async () => {
    const name = freshName();
    assert.equal((await register({ name, password: `${name.toLowerCase()}1` })).status, 422);
  });

  test('a password is the same in another normal form', async () => {
    const name = freshName();
    await newPlayer(open, { name, password: 'caf\u00e9 au lait, no 5' });
    assert.equal((await logIn(open, { name, password: 'cafe\u0301 au lait, no 5' })).status, 201);
  });

  test('nobody registers where it is closed', async () => {
    assert.equal((await register({}, closed)).body.code, 'registration-closed');
  });

  test('nobody registers without an invitation where one is needed', async () => {
    assert.equal((await register({}, invite)).body.code, 'invite-invalid');
  });

  test('an invitation lets in', async () => {
    const { code } = await makeInvite(database());
    assert.equal((await register({ invite: code }, invite)).status, 201);
  });

  test('an invitation can be typed in lower case without hyphens', async () => {
    const { code } = await makeInvite(database());
    assert.equal((await register({ invite: code.toLowerCase().replaceAll('-', ' ') }, invite)).status, 201);
  });

  test('an invitation for three lets in three of ten who use it at once', async () => {
    const { code } = await makeInvite(database(), { uses: 3 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => register({ invite: code }, invite)));
    assert.equal(answers.filter(({ status }) => status === 201).length, 3);
  });

  test('an invitation is not used up by a name that is taken', async () => {
    const { name } = await newPlayer(open);
    const { code } = await makeInvite(database());
    await register({ name, invite: code }, invite);
    assert.equal((await register({ invite: code }, invite)).status, 201);
  });

  test('an invitation that has ended lets nobody in', async () => {
    const { code } = await makeInvite(database());
    await database().query('update invites set expires_at = now() where uses_left = 1');
    assert.equal((await register({ invite: code }, invite)).body.code, 'invite-invalid');
  });

  test('without an invitation nobody learns which names are taken', async () => {
    const { name } = await newPlayer(open);
    assert.equal((await register({ name, invite: 'AAAA-AAAA-AAAA-AAAA' }, invite)).body.code, 'invite-invalid');
  });

  test('a banned address cannot register, and is told until when and why', async () => {
    const from = freshAddress();
    await database().query("insert into bans (network, reason, until) values ($1::cidr, 'spam', '2099-01-01T00:00:00Z')", [from]);
    const answer = await send(open, 'POST', '/v1/accounts', { body: { name: freshName(), password: PASSWORD }, from });
    assert.deepEqual(
      { code: answer.body.code, until: answer.body.until, reason: answer.body.reason },
      { code: 'banned', until: '2099-01-01T00:00:00.000Z', reason: 'spam' },
    );
  });

  test('everybody can ask how accounts are made', async () => {
    assert.deepEqual((await send(invite, 'GET', '/v1/registration')).body, { registration: 'invite', resetByMail: false });
  });

  test('the log has neither names nor passwords nor addresses', async () => {
    const player = await newPlayer(open);
    const lines = JSON.stringify(brokers.map(({ logged }) => logged));
    assert.deepEqual(
      [player.name, player.password, player.token, player.address].filter((secret) => lines.includes(secret)),
      [],
    );
  });
});
