/** Accounts as operators see them over HTTP: search, state, role, kick, invitations, reset links. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { administrator, ask, character, lastEntry, type Person, person, place, SERVER, uniqueName } from './support.ts';

const NOWHERE = '00000000-0000-4000-8000-000000000000';

onDatabase('accounts for operators', (database) => {
  let broker: TestBroker;
  let application: Application;
  let admin: Person;
  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    admin = await administrator(broker);
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });
  const names = (answer: { body: { accounts: { name: string }[] } }) => answer.body.accounts.map(({ name }) => name);

  for (const [method, url] of [
    ['GET', '/accounts'],
    ['GET', `/accounts/${NOWHERE}`],
    ['PUT', `/accounts/${NOWHERE}/role`],
    ['POST', `/accounts/${NOWHERE}/kick`],
    ['POST', `/accounts/${NOWHERE}/reset-link`],
    ['GET', '/bans'],
    ['POST', '/bans'],
    ['DELETE', `/bans/${NOWHERE}`],
    ['GET', '/maintenance'],
    ['PUT', '/realms/aurora/maintenance'],
    ['DELETE', '/realms/aurora/maintenance'],
    ['POST', '/announcements'],
    ['POST', '/drains'],
    ['POST', '/saves'],
    ['GET', '/invites'],
    ['POST', '/invites'],
    ['DELETE', '/invites/0123456789abcdef'],
    ['GET', '/audit'],
  ] as const) {
    test(`a player gets nothing from ${method} ${url}`, async () => {
      const player = await person(broker);
      const body = { role: 'admin', message: 'x', reason: 'x', account: NOWHERE, to: { all: true } };
      const pick = (...keys: (keyof typeof body)[]) => Object.fromEntries(keys.map((key) => [key, body[key]]));
      const fitting = url.endsWith('/role')
        ? pick('role')
        : url.endsWith('/kick') || url.endsWith('maintenance')
          ? pick('message')
          : url === '/bans'
            ? pick('reason', 'account')
            : url === '/announcements'
              ? pick('to', 'message')
              : url === '/drains' || url === '/saves'
                ? pick('to')
                : {};
      const answer = await ask(application, player, method, url, method === 'POST' || method === 'PUT' ? { body: fitting } : {});
      assert.equal(answer.status, 403);
    });
  }

  test('accounts are found by a part of their name, in any case', async () => {
    const player = await person(broker, { name: uniqueName('Quillon') });
    assert.deepEqual(names(await ask(application, admin, 'GET', '/accounts?name=qUILLON')), [player.name]);
  });

  test('accounts are found by the name of a character', async () => {
    const player = await person(broker);
    await character(database(), player.id, uniqueName('Vorpalina'));
    assert.deepEqual(names(await ask(application, admin, 'GET', '/accounts?name=vorpalin')), [player.name]);
  });

  test('a search has no wildcards', async () => {
    assert.deepEqual(names(await ask(application, admin, 'GET', '/accounts?name=%25')), []);
  });

  test('accounts come in pages in the order of their names', async () => {
    const people: Person[] = [];
    for (const start of ['Pagea', 'Pageb', 'Pagec']) people.push(await person(broker, { name: uniqueName(start) }));
    const first = await ask(application, admin, 'GET', '/accounts?name=page&limit=2');
    const second = await ask(application, admin, 'GET', `/accounts?name=page&limit=2&after=${first.body.accounts[1].id}`);
    assert.deepEqual(
      [...names(first), ...names(second)],
      people.map(({ name }) => name),
    );
  });

  test('a list says who is banned', async () => {
    const player = await person(broker);
    await ask(application, admin, 'POST', '/bans', { body: { account: player.id, reason: 'x' } });
    const { body } = await ask(application, admin, 'GET', `/accounts?name=${player.name}`);
    assert.equal(body.accounts[0].banned, true);
  });

  test('the state of an account has where it plays', async () => {
    const player = await person(broker);
    const session = await place(broker, player.id);
    await session.claim();
    const { body } = await ask(application, admin, 'GET', `/accounts/${player.id}`);
    assert.equal(body.play.sessionId, session.playSessionId);
    assert.equal(body.play.serverId, SERVER);
    assert.equal(body.play.state, 'active');
  });

  test('times in the state of an account are UTC', async () => {
    const player = await person(broker);
    await place(broker, player.id);
    const { body } = await ask(application, admin, 'GET', `/accounts/${player.id}`);
    assert.match(body.play.since, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('the state of an account counts its sessions', async () => {
    const player = await person(broker);
    const { body } = await ask(application, admin, 'GET', `/accounts/${player.id}`);
    assert.equal(body.sessions.count, 1);
  });

  test('the state of an account has its characters', async () => {
    const player = await person(broker);
    const id = await character(database(), player.id);
    const { body } = await ask(application, admin, 'GET', `/accounts/${player.id}`);
    assert.deepEqual(
      body.characters.map((one: { id: string }) => one.id),
      [id],
    );
  });

  test('the state of an account has nothing that logs in', async () => {
    const player = await person(broker);
    await database().query("update accounts set password_hash = 'argon-secret', email = 'mail-secret@example.org' where id = $1", [
      player.id,
    ]);
    const { body } = await ask(application, admin, 'GET', `/accounts/${player.id}`);
    assert.doesNotMatch(JSON.stringify(body), /secret/);
  });

  test('an account that is not there is not found', async () => {
    assert.equal((await ask(application, admin, 'GET', `/accounts/${NOWHERE}`)).status, 404);
  });

  test('an account gets the role', async () => {
    const player = await person(broker);
    await ask(application, admin, 'PUT', `/accounts/${player.id}/role`, { body: { role: 'admin' } });
    assert.equal((await ask(application, player, 'GET', '/accounts')).status, 200);
  });

  test('a session that is not fresh gives nobody the role', async () => {
    const [old, player] = [await administrator(broker), await person(broker)];
    await database().query("update sessions set created_at = now() - interval '1 hour' where account_id = $1", [old.id]);
    const { body } = await ask(application, old, 'PUT', `/accounts/${player.id}/role`, { body: { role: 'admin' } });
    assert.equal(body.code, 'fresh-login-needed');
  });

  test('a reset link that was made before opens no administrator’s account', async () => {
    const player = await person(broker);
    await ask(application, admin, 'POST', `/accounts/${player.id}/reset-link`, { body: {} });
    await ask(application, admin, 'PUT', `/accounts/${player.id}/role`, { body: { role: 'admin' } });
    assert.deepEqual(await database().query('select 1 from reset_links where account_id = $1', [player.id]), []);
  });

  test('an account whose role was taken loses its rights at once', async () => {
    const other = await administrator(broker);
    await ask(application, admin, 'PUT', `/accounts/${other.id}/role`, { body: { role: 'player' } });
    assert.equal((await ask(application, other, 'GET', '/accounts')).status, 403);
  });

  test('giving the role twice changes nothing', async () => {
    const other = await administrator(broker);
    const answer = await ask(application, admin, 'PUT', `/accounts/${other.id}/role`, { body: { role: 'admin' } });
    assert.deepEqual(answer.body, { role: 'admin', changed: false });
  });

  test('a change of the role is in the audit log', async () => {
    const player = await person(broker);
    await ask(application, admin, 'PUT', `/accounts/${player.id}/role`, { body: { role: 'admin' } });
    assert.deepEqual(await lastEntry(database(), `account:${player.id}`), {
      action: 'account.role-changed',
      actor_id: admin.id,
      actor_name: admin.name,
      details: { name: player.name, before: 'player', after: 'admin' },
    });
  });

  test('a banned account does not get the role', async () => {
    const player = await person(broker);
    await ask(application, admin, 'POST', '/bans', { body: { account: player.id, reason: 'x' } });
    const answer = await ask(application, admin, 'PUT', `/accounts/${player.id}/role`, { body: { role: 'admin' } });
    assert.match(answer.body.detail, /is banned\. Lift the ban first\./);
  });

  test('a kick orders the server to let the player go', async () => {
    const player = await person(broker);
    const session = await place(broker, player.id);
    await session.claim();
    const answer = await ask(application, admin, 'POST', `/accounts/${player.id}/kick`, { body: { message: 'Stop that' } });
    assert.deepEqual(answer.body, { kicked: 1 });
    const orders = await database().query('select kind, server_id, details from server_orders where play_session_id = $1', [
      session.playSessionId,
    ]);
    assert.deepEqual(orders, [{ kind: 'kick', server_id: SERVER, details: { because: 'kicked', message: 'Stop that' } }]);
  });

  test('a kick leaves the session of the page', async () => {
    const player = await person(broker);
    await ask(application, admin, 'POST', `/accounts/${player.id}/kick`, { body: { message: 'Stop that' } });
    assert.equal((await database().query('select 1 from sessions where account_id = $1', [player.id])).length, 1);
  });

  test('a kick of somebody who does not play kicks nobody', async () => {
    const player = await person(broker);
    assert.deepEqual((await ask(application, admin, 'POST', `/accounts/${player.id}/kick`, { body: { message: 'x' } })).body, {
      kicked: 0,
    });
  });

  test('an invitation is made with a code that is not in the list', async () => {
    const made = await ask(application, admin, 'POST', '/invites', { body: { note: 'For Tuesday', uses: 3 } });
    assert.equal(made.status, 201);
    const { body } = await ask(application, admin, 'GET', '/invites');
    assert.doesNotMatch(JSON.stringify(body), new RegExp(made.body.code));
    const line = body.invites.find(({ id }: { id: string }) => id === made.body.id);
    assert.deepEqual([line.note, line.usesLeft, line.createdBy, line.usable], ['For Tuesday', 3, admin.name, true]);
  });

  test('a revoked invitation is gone', async () => {
    const made = await ask(application, admin, 'POST', '/invites', { body: {} });
    assert.equal((await ask(application, admin, 'DELETE', `/invites/${made.body.id}`)).status, 200);
    const { body } = await ask(application, admin, 'GET', '/invites');
    assert.equal(
      body.invites.some(({ id }: { id: string }) => id === made.body.id),
      false,
    );
  });

  test('revoking twice is refused', async () => {
    const made = await ask(application, admin, 'POST', '/invites', { body: {} });
    await ask(application, admin, 'DELETE', `/invites/${made.body.id}`);
    assert.equal((await ask(application, admin, 'DELETE', `/invites/${made.body.id}`)).status, 404);
  });

  test('the code of an invitation is not in the audit log', async () => {
    const made = await ask(application, admin, 'POST', '/invites', { body: {} });
    const entry = await lastEntry(database(), `invite:${made.body.id}`);
    assert.equal(entry?.action, 'invite.made');
    assert.doesNotMatch(JSON.stringify(entry), new RegExp(made.body.code));
  });

  test('a reset link is made for a player', async () => {
    const player = await person(broker);
    const made = await ask(application, admin, 'POST', `/accounts/${player.id}/reset-link`, { body: {} });
    assert.match(made.body.url, /^https:\/\/mmo\.example\.org\/#reset=[A-Za-z0-9_-]{43}$/);
  });

  test('a reset link is not in the audit log', async () => {
    const player = await person(broker);
    const made = await ask(application, admin, 'POST', `/accounts/${player.id}/reset-link`, { body: {} });
    const entry = await lastEntry(database(), `account:${player.id}`);
    assert.equal(entry?.action, 'account.reset-link-made');
    assert.equal(JSON.stringify(entry).includes(made.body.url.split('=')[1]), false);
  });

  test('no reset link is made over HTTP for an administrator', async () => {
    const other = await administrator(broker);
    assert.equal((await ask(application, admin, 'POST', `/accounts/${other.id}/reset-link`, { body: {} })).status, 403);
  });
});

onDatabase('the last administrator', (database) => {
  let broker: TestBroker;
  let application: Application;
  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });

  test('keeps the role', async () => {
    const admin = await administrator(broker);
    const answer = await ask(application, admin, 'PUT', `/accounts/${admin.id}/role`, { body: { role: 'player' } });
    assert.equal(answer.status, 409);
    assert.match(answer.body.detail, /is the last administrator\. Make another account one first\./);
  });

  test('may give it up when there is another', async () => {
    const other = await administrator(broker);
    const answer = await ask(application, other, 'PUT', `/accounts/${other.id}/role`, { body: { role: 'player' } });
    assert.equal(answer.body.changed, true);
  });
});
