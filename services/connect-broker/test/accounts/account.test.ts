/** What the owner of an account can do with it: change its password, take its data along, delete it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { EXPORT_SECTIONS, NOT_EXPORTED } from '../../src/accounts/export.ts';
import { cleanAccounts } from '../../src/accounts/tasks.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { freshAddress, freshName, logIn, newPlayer, ORIGIN, type Player, quickPasswords, send } from './support.ts';

const NEW = 'a completely new one';

onDatabase('an account', (database) => {
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
  const changePassword = (player: Player, body: object) => send(application, 'POST', '/v1/account/password', { token: player.token, body });
  const remove = (player: Player, body?: object) =>
    send(application, 'DELETE', '/v1/account', { token: player.token, ...(body === undefined ? {} : { body }) });
  const stale = (player: Player) =>
    database().query("update sessions set created_at = created_at - interval '11 minutes' where id = $1", [player.sessionId]);
  const withoutPassword = (player: Player) =>
    database().query('update accounts set password_hash = null where id = $1', [player.accountId]);
  const character = async (player: Player) => {
    const name = freshName();
    const [row] = await database().query<{ id: string }>(
      `insert into characters (account_id, name, name_key, realm, continent, state) values ($1, $2, lower($2), 'aurora', 'eldermoor', '\\x00ff') returning id`,
      [player.accountId, name],
    );
    return { id: row?.id ?? '', name };
  };

  test('tells its owner about itself', async () => {
    const player = await newPlayer(application);
    const { createdAt, ...body } = (await send(application, 'GET', '/v1/account', { token: player.token })).body;
    assert.deepEqual(body, {
      id: player.accountId,
      name: player.name,
      role: 'player',
      email: null,
      emailConfirmed: false,
      hasPassword: true,
      recoveryCodesLeft: 10,
    });
  });

  test('a new password logs in', async () => {
    const player = await newPlayer(application);
    await changePassword(player, { currentPassword: player.password, newPassword: NEW });
    assert.equal((await logIn(application, { name: player.name, password: NEW })).status, 201);
  });

  test('the old password does not log in any more', async () => {
    const player = await newPlayer(application);
    await changePassword(player, { currentPassword: player.password, newPassword: NEW });
    assert.equal((await logIn(application, player)).status, 401);
  });

  test('a new password ends the other sessions and keeps this one', async () => {
    const player = await newPlayer(application);
    const other = (await logIn(application, player)).body;
    await changePassword(player, { currentPassword: player.password, newPassword: NEW });
    const statuses = await Promise.all(
      [player.token, other.token].map(async (token) => (await send(application, 'GET', '/v1/account', { token })).status),
    );
    assert.deepEqual(statuses, [200, 401]);
  });

  for (const [what, body, code] of [
    ['the present one is wrong', { currentPassword: 'something else', newPassword: NEW }, 'wrong-credentials'],
    ['the present one is missing', { newPassword: NEW }, 'fresh-login-needed'],
    ['the new one is short', { currentPassword: 'correct horse battery', newPassword: 'short' }, 'invalid'],
  ] as const) {
    test(`the password stays when ${what}`, async () => {
      const player = await newPlayer(application);
      const answer = await changePassword(player, body);
      assert.deepEqual([answer.body.code, (await logIn(application, player)).status], [code, 201]);
    });
  }

  test('whoever has a session can try the present password five times only', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    const answers = [];
    for (let tries = 0; tries < 6; tries++) {
      const body = { currentPassword: `guess number ${tries}`, newPassword: NEW };
      answers.push((await send(application, 'POST', '/v1/account/password', { token: player.token, body, from })).body.code);
    }
    assert.deepEqual(answers, [...Array(5).fill('wrong-credentials'), 'too-many-failures']);
  });

  test('an account without a password gets one after a fresh log-in', async () => {
    const player = await newPlayer(application);
    await withoutPassword(player);
    assert.equal((await changePassword(player, { newPassword: NEW })).status, 200);
  });

  test('an account without a password gets none from an old session', async () => {
    const player = await newPlayer(application);
    await withoutPassword(player);
    await stale(player);
    assert.equal((await changePassword(player, { newPassword: NEW })).body.code, 'fresh-login-needed');
  });

  test('a log-in that is under way while the password changes opens nothing', async () => {
    const player = await newPlayer(application);
    const slow = testBroker(database(), testSettings(), {
      passwords: {
        ...quickPasswords(),
        verify: async () => {
          await changePassword(player, { currentPassword: player.password, newPassword: NEW });
          return true;
        },
      },
    });
    const other = await publicApplication(slow);
    const answer = await logIn(other, player);
    await other.close();
    slow.dispose();
    assert.equal(answer.body.code, 'wrong-credentials');
  });

  test('an export has what is stored of everything', async () => {
    const player = await newPlayer(application);
    const { id, name } = await character(player);
    await database().query(
      `insert into play_sessions (account_id, character_id, server_id, pod_uid, client_id, state, token_expires_at)
       values ($1, $2, 'world:aurora/eldermoor', 'uid', $3, 'reserved', now())`,
      [player.accountId, id, 2n ** 62n + BigInt(Math.floor(Math.random() * 1e9))],
    );
    await database().query("insert into bans (account_id, reason, lifted_at) values ($1, 'was rude', now())", [player.accountId]);
    await database().query("insert into identities (issuer, subject, account_id) values ('https://id.example', $2, $1)", [
      player.accountId,
      name,
    ]);
    await logIn(application, { name: player.name, password: 'not the password' });
    const { body } = await send(application, 'GET', '/v1/account/export', { token: player.token });
    assert.deepEqual(
      {
        name: body.account.name,
        character: body.characters[0].name,
        state: body.characters[0].state,
        client: typeof body.playSessions[0].client_id,
        ban: body.bans[0].reason,
        identity: body.identities[0].subject,
        sessions: body.sessions.length,
        codes: body.recoveryCodes.length,
        failures: body.failedAttempts.length,
        addresses: body.knownAddresses.length,
      },
      {
        name: player.name,
        character: name,
        state: 'AP8=',
        client: 'string',
        ban: 'was rude',
        identity: name,
        sessions: 1,
        codes: 10,
        failures: 1,
        addresses: 1,
      },
    );
  });

  test('an export has nothing of another account', async () => {
    const [one, other] = [await newPlayer(application), await newPlayer(application)];
    await character(other);
    const { body } = await send(application, 'GET', '/v1/account/export', { token: one.token });
    assert.ok(!JSON.stringify(body).includes(other.accountId));
  });

  test('an export of very much says what it has only the latest of', async () => {
    const player = await newPlayer(application);
    await database().query(
      "insert into audit_log (actor_name, action, target) select 'x', 'y', 'account:' || $1::text from generate_series(1, 2500)",
      [player.accountId],
    );
    const { body } = await send(application, 'GET', '/v1/account/export', { token: player.token });
    assert.deepEqual([body.auditLog.length, body.onlyTheLatestOf], [2000, ['auditLog']]);
  });

  test('an export has no hash', async () => {
    const player = await newPlayer(application);
    const { body } = await send(application, 'GET', '/v1/account/export', { token: player.token });
    assert.doesNotMatch(JSON.stringify(body), /argon2|_hash"|\\\\x/);
  });

  test('every reference to an account is in the export, or left out for a reason', async () => {
    const rows = await database().query<{ reference: string }>(`
      select conrelid::regclass::text || '.' || attname as reference
      from pg_constraint join pg_attribute on attrelid = conrelid and attnum = any (conkey)
      where contype = 'f' and confrelid = 'accounts'::regclass
      union select table_name || '.' || column_name from information_schema.columns
      where table_schema = 'public' and column_name = 'account_id' and table_name in (select table_name from information_schema.tables where table_type = 'BASE TABLE')`);
    const covered = ({ reference }: { reference: string }) => {
      const [table, column] = reference.split('.') as [string, string];
      return (
        reference in NOT_EXPORTED ||
        EXPORT_SECTIONS.some((section) => section.table === table && section.where.includes(`t.${column} = $1`))
      );
    };
    assert.deepEqual(
      rows.filter((row) => !covered(row)).map(({ reference }) => reference),
      [],
    );
  });

  test('deletion with the password leaves nothing of it', async () => {
    const player = await newPlayer(application);
    await character(player);
    await stale(player);
    const { status } = await remove(player, { password: player.password });
    const left = await database().query<{ left: number }>(
      `select (select count(*) from accounts where id = $1) + (select count(*) from sessions where account_id = $1)
         + (select count(*) from characters where account_id = $1) + (select count(*) from recovery_codes where account_id = $1) as left`,
      [player.accountId],
    );
    assert.deepEqual([status, Number(left[0]?.left)], [204, 0]);
  });

  test('deletion soon after the log-in needs no password', async () => {
    assert.equal((await remove(await newPlayer(application))).status, 204);
  });

  test('deletion from an old session needs the password', async () => {
    const player = await newPlayer(application);
    await stale(player);
    assert.equal((await remove(player)).body.code, 'fresh-login-needed');
  });

  test('deletion with a wrong password deletes nothing, even soon after the log-in', async () => {
    const player = await newPlayer(application);
    assert.deepEqual(
      [(await remove(player, { password: 'wrong password' })).body.code, (await logIn(application, player)).status],
      ['wrong-credentials', 201],
    );
  });

  test('deletion is on the record', async () => {
    const player = await newPlayer(application);
    await remove(player);
    const rows = await database().query('select action from audit_log where target = $1', [`account:${player.accountId}`]);
    assert.deepEqual(rows, [{ action: 'account.deleted' }]);
  });

  test('the last administrator cannot be deleted', async () => {
    const player = await newPlayer(application);
    await database().query("update accounts set role = case when id = $1 then 'admin' else 'player' end", [player.accountId]);
    const { body } = await remove(player);
    await database().query("update accounts set role = 'player'");
    assert.equal(body.code, 'conflict');
  });

  test('the name of a deleted account can be taken', async () => {
    const player = await newPlayer(application);
    await remove(player);
    assert.equal((await newPlayer(application, { name: player.name })).name, player.name);
  });

  test('deletion takes the cookie away', async () => {
    const player = await newPlayer(application);
    const { cookies } = await logIn(application, { ...player, kind: 'cookie' }, { headers: { origin: ORIGIN } });
    const answer = await send(application, 'DELETE', '/v1/account', {
      cookies: { '__Host-session': cookies[0]?.value ?? '' },
      headers: { origin: ORIGIN },
    });
    assert.deepEqual([answer.status, answer.cookies[0]?.value], [204, '']);
  });

  test('cleaning removes what has run out and nothing else', async () => {
    const player = await newPlayer(application);
    const other = (await logIn(application, player)).body;
    await database().query('update sessions set expires_at = now() where id = $1', [other.session.id]);
    await logIn(application, { name: player.name, password: 'not the password' });
    await database().query("update login_failures set failed_at = failed_at - interval '61 minutes'");
    await logIn(application, { name: player.name, password: 'not the password' });
    await cleanAccounts(database());
    const [row] = await database().query<{ sessions: number; failures: number }>(
      `select (select count(*)::int from sessions where account_id = $1) as sessions, (select count(*)::int from login_failures) as failures`,
      [player.accountId],
    );
    assert.deepEqual(row, { sessions: 1, failures: 1 });
  });
});
