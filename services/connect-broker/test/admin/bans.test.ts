/** Bans over HTTP: whom they hit, what they end, what is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { administrator, ask, lastEntry, type Person, person, place, uniqueName } from './support.ts';

const NOWHERE = '00000000-0000-4000-8000-000000000000';

onDatabase('bans', (database) => {
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

  const ban = (body: object, from?: string) =>
    ask(application, admin, 'POST', '/bans', { body: { reason: 'Cheating', ...body }, ...(from ? { from } : {}) });
  const active = async (account: string | null, address: string | null) => {
    const [row] = await database().query<{ reason: string; until: Date | null }>('select reason, until from active_ban($1, $2)', [
      account,
      address,
    ]);
    return row;
  };

  test('a player may not ban', async () => {
    const player = await person(broker);
    assert.equal((await ask(application, player, 'POST', '/bans', { body: { account: admin.id, reason: 'Revenge' } })).status, 403);
  });

  test('nobody bans without a session', async () => {
    assert.equal((await ask(application, undefined, 'POST', '/bans', { body: { account: admin.id, reason: 'x' } })).status, 401);
  });

  test('a banned account has an active ban with its reason', async () => {
    const player = await person(broker);
    assert.equal((await ban({ account: player.id })).status, 201);
    assert.equal((await active(player.id, null))?.reason, 'Cheating');
  });

  test('a ban ends the sessions of the account', async () => {
    const player = await person(broker);
    assert.equal((await ban({ account: player.id })).body.removal.loggedOut, 1);
    const rows = await database().query('select 1 from sessions where account_id = $1', [player.id]);
    assert.equal(rows.length, 0);
  });

  test('a ban orders the kick of whoever plays, with the reason', async () => {
    const player = await person(broker);
    const session = await place(broker, player.id);
    await session.claim();
    assert.equal((await ban({ account: player.id })).body.removal.kicked, 1);
    const [order] = await database().query<{ kind: string; details: unknown }>(
      'select kind, details from server_orders where play_session_id = $1',
      [session.playSessionId],
    );
    assert.deepEqual(order, { kind: 'kick', details: { because: 'banned', message: 'Cheating' } });
  });

  test('a kick that was ordered before the ban is told as the ban', async () => {
    const player = await person(broker);
    const session = await place(broker, player.id);
    await session.claim();
    await ask(application, admin, 'POST', `/accounts/${player.id}/kick`, { body: { message: 'Behave' } });
    await ban({ account: player.id });
    const orders = await database().query<{ details: unknown }>('select details from server_orders where play_session_id = $1', [
      session.playSessionId,
    ]);
    assert.deepEqual(orders, [{ details: { because: 'banned', message: 'Cheating' } }]);
  });

  test('a token that is out is not accepted any more', async () => {
    const player = await person(broker);
    const session = await place(broker, player.id);
    await ban({ account: player.id });
    assert.equal(await session.claim(), 'banned');
  });

  test('a place that is reserved after the ban cannot be claimed', async () => {
    const player = await person(broker);
    await ban({ account: player.id });
    const session = await place(broker, player.id);
    assert.equal(await session.claim(), 'banned');
  });

  test('a ban has an end', async () => {
    const player = await person(broker);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    assert.equal((await ban({ account: player.id, until })).body.ban.until, until);
  });

  test('a ban that has ended keeps nobody out', async () => {
    const player = await person(broker);
    await ban({ account: player.id, until: new Date(Date.now() + 3_600_000).toISOString() });
    await database().query(
      "update bans set created_at = now() - interval '2 hours', until = now() - interval '1 second' where account_id = $1",
      [player.id],
    );
    assert.equal(await active(player.id, null), undefined);
  });

  test('an end in the past is refused', async () => {
    const player = await person(broker);
    const answer = await ban({ account: player.id, until: '2020-01-01T00:00:00Z' });
    assert.equal(answer.status, 422);
    assert.match(answer.body.detail, /would end at 2020-01-01T00:00:00\.000Z, which is past/);
  });

  test('an end in the past bans nobody', async () => {
    const player = await person(broker);
    await ban({ account: player.id, until: '2020-01-01T00:00:00Z' });
    assert.equal(await active(player.id, null), undefined);
  });

  test('an end without an offset is refused', async () => {
    const player = await person(broker);
    assert.match((await ban({ account: player.id, until: '2090-01-01T00:00:00' })).body.detail, /must be a time such as/);
  });

  test('an administrator cannot be banned', async () => {
    const other = await administrator(broker);
    const answer = await ban({ account: other.id });
    assert.equal(answer.status, 409);
    assert.match(answer.body.detail, /is an administrator\. Take the role away first/);
  });

  test('an account that is not there cannot be banned', async () => {
    assert.equal((await ban({ account: NOWHERE })).status, 404);
  });

  test('a ban needs a reason', async () => {
    const player = await person(broker);
    assert.equal((await ban({ account: player.id, reason: '  ' })).status, 422);
  });

  test('a ban is of an account or of an address, not of both', async () => {
    const player = await person(broker);
    assert.match((await ban({ account: player.id, address: '203.0.113.1' })).body.detail, /must have either account or address/);
  });

  test('of overlapping bans the longest counts', async () => {
    const player = await person(broker);
    await ban({ account: player.id, reason: 'For ever' });
    await ban({ account: player.id, reason: 'A day', until: new Date(Date.now() + 86_400_000).toISOString() });
    assert.equal((await active(player.id, null))?.reason, 'For ever');
  });

  test('when one of overlapping bans is lifted, the other holds', async () => {
    const player = await person(broker);
    const first = await ban({ account: player.id, reason: 'For ever' });
    await ban({ account: player.id, reason: 'A day', until: new Date(Date.now() + 86_400_000).toISOString() });
    await ask(application, admin, 'DELETE', `/bans/${first.body.ban.id}`);
    assert.equal((await active(player.id, null))?.reason, 'A day');
  });

  test('a lifted ban keeps nobody out', async () => {
    const player = await person(broker);
    const { body } = await ban({ account: player.id });
    assert.equal((await ask(application, admin, 'DELETE', `/bans/${body.ban.id}`)).status, 200);
    assert.equal(await active(player.id, null), undefined);
  });

  test('lifting twice is refused', async () => {
    const player = await person(broker);
    const { body } = await ban({ account: player.id });
    await ask(application, admin, 'DELETE', `/bans/${body.ban.id}`);
    const again = await ask(application, admin, 'DELETE', `/bans/${body.ban.id}`);
    assert.equal(again.status, 409);
    assert.match(again.body.detail, /was lifted at .* already/);
  });

  test('a ban that has ended cannot be lifted', async () => {
    const player = await person(broker);
    const { body } = await ban({ account: player.id });
    await database().query("update bans set created_at = now() - interval '2 hours', until = now() - interval '1 hour' where id = $1", [
      body.ban.id,
    ]);
    assert.match((await ask(application, admin, 'DELETE', `/bans/${body.ban.id}`)).body.detail, /ended at .* by itself/);
  });

  test('a ban that is not there cannot be lifted', async () => {
    assert.equal((await ask(application, admin, 'DELETE', `/bans/${NOWHERE}`)).status, 404);
  });

  test('a network is banned with every address in it', async () => {
    await ban({ address: '203.0.113.0/24', reason: 'Bots' });
    assert.equal((await active(null, '203.0.113.99'))?.reason, 'Bots');
  });

  test('an address outside of the network is not', async () => {
    await ban({ address: '203.0.112.0/24' });
    assert.equal(await active(null, '203.0.111.255'), undefined);
  });

  test('a banned IPv4 address is banned as IPv4 inside IPv6', async () => {
    await ban({ address: '192.0.2.77', reason: 'Mapped' });
    assert.equal((await active(null, '::ffff:192.0.2.77'))?.reason, 'Mapped');
  });

  test('another IPv4 address inside IPv6 is not', async () => {
    await ban({ address: '192.0.2.80' });
    assert.equal(await active(null, '::ffff:192.0.2.81'), undefined);
  });

  test('IPv4 inside IPv6 is banned as IPv4', async () => {
    assert.equal((await ban({ address: '::ffff:192.0.2.90' })).body.ban.network, '192.0.2.90/32');
  });

  test('an IPv6 address is banned with its household', async () => {
    await ban({ address: '2001:db8:5:6::1', reason: 'Household' });
    assert.equal((await active(null, '2001:db8:5:6:ffff::9'))?.reason, 'Household');
  });

  test('a ban of an address logs out whoever logged in from there last', async () => {
    const player = await person(broker, { address: '192.0.2.100' });
    const answer = await ban({ address: '192.0.2.100' });
    assert.equal(answer.body.removal.loggedOut, 1);
    assert.equal((await database().query('select 1 from sessions where account_id = $1', [player.id])).length, 0);
  });

  test('a ban of an address leaves alone whoever has logged in from elsewhere since', async () => {
    const player = await person(broker, { address: '192.0.2.101' });
    await database().query("update known_addresses set last_success_at = now() - interval '1 day' where account_id = $1", [player.id]);
    await database().query("insert into known_addresses (account_id, address_key) values ($1, '192.0.2.102')", [player.id]);
    assert.equal((await ban({ address: '192.0.2.101' })).body.removal.loggedOut, 0);
  });

  test('a ban of an IPv6 network kicks whoever is known by its /64', async () => {
    const player = await person(broker, { address: '2001:db8:77:1::/64' });
    await (await place(broker, player.id)).claim();
    assert.equal((await ban({ address: '2001:db8:77::/48' })).body.removal.kicked, 1);
  });

  test('a ban of a network kicks whoever plays from it, wherever the last log-in was', async () => {
    const player = await person(broker, { address: '192.0.2.110' });
    const playing = await place(broker, player.id);
    await playing.claim();
    await database().query("update play_sessions set client_address = '::ffff:192.0.2.115' where id = $1", [playing.playSessionId]);
    assert.equal((await ban({ address: '192.0.2.115' })).body.removal.kicked, 1);
  });

  for (const network of ['0.0.0.0/0', '::/0', '100.0.0.0/7', '2001::/31']) {
    test(`${network} is refused as too wide`, async () => {
      const answer = await ban({ address: network });
      assert.equal(answer.status, 409);
      assert.match(answer.body.detail, /is wider than \/(8|32) and would keep out a large part of the Internet/);
    });
  }

  test('a network that is too wide can be forced', async () => {
    const answer = await ban({ address: '2000::/31', force: true });
    assert.equal(answer.status, 201);
    await ask(application, admin, 'DELETE', `/bans/${answer.body.ban.id}`);
  });

  test('the own address is refused', async () => {
    const answer = await ban({ address: '198.51.100.0/24' }, '198.51.100.23');
    assert.match(answer.body.detail, /Your own address is in 198\.51\.100\.0\/24/);
  });

  test('the own address as IPv4 inside IPv6 is refused', async () => {
    assert.equal((await ban({ address: '198.51.100.23' }, '::ffff:198.51.100.23')).status, 409);
  });

  test('the own address can be forced', async () => {
    assert.equal((await ban({ address: '198.51.100.24', force: true }, '198.51.100.24')).status, 201);
  });

  test('what is no address is refused with what would be right', async () => {
    const answer = await ban({ address: 'home' });
    assert.equal(answer.status, 422);
    assert.match(answer.body.detail, /'home' is no address or network; write it as/);
  });

  test('a ban is in the audit log with who made it', async () => {
    const player = await person(broker);
    await ban({ account: player.id, reason: 'Duping' });
    const entry = await lastEntry(database(), `account:${player.id}`);
    assert.equal(entry?.action, 'ban.made');
    assert.equal(entry?.actor_id, admin.id);
    assert.match(JSON.stringify(entry?.details), /"reason":"Duping"/);
  });

  test('lifting is in the audit log', async () => {
    const player = await person(broker);
    const { body } = await ban({ account: player.id });
    await ask(application, admin, 'DELETE', `/bans/${body.ban.id}`);
    assert.equal((await lastEntry(database(), `account:${player.id}`))?.action, 'ban.lifted');
  });

  test('a refused ban is not in the audit log', async () => {
    const other = await administrator(broker);
    await ban({ account: other.id });
    assert.equal(await lastEntry(database(), `account:${other.id}`), undefined);
  });

  test('active bans are listed without those that were lifted', async () => {
    const player = await person(broker);
    const first = await ban({ account: player.id });
    const second = await ban({ account: player.id });
    await ask(application, admin, 'DELETE', `/bans/${first.body.ban.id}`);
    const { body } = await ask(application, admin, 'GET', `/bans?account=${player.id}`);
    assert.deepEqual(
      body.bans.map(({ id }: { id: string }) => id),
      [second.body.ban.id],
    );
  });

  test('all bans are listed with those that were lifted', async () => {
    const player = await person(broker);
    const first = await ban({ account: player.id });
    await ask(application, admin, 'DELETE', `/bans/${first.body.ban.id}`);
    const { body } = await ask(application, admin, 'GET', `/bans?state=all&account=${player.id}`);
    assert.equal(body.bans[0].liftedBy, admin.name);
  });

  test('bans that an address lies in are found', async () => {
    const made = await ban({ address: '233.252.0.0/24' });
    const { body } = await ask(application, admin, 'GET', '/bans?address=233.252.0.9');
    assert.deepEqual(
      body.bans.map(({ id }: { id: string }) => id),
      [made.body.ban.id],
    );
  });

  test('bans come in pages, the latest first', async () => {
    const player = await person(broker);
    const made: string[] = [];
    for (let i = 0; i < 3; i++) made.push((await ban({ account: player.id })).body.ban.id);
    const first = await ask(application, admin, 'GET', `/bans?account=${player.id}&limit=2`);
    const second = await ask(application, admin, 'GET', `/bans?account=${player.id}&limit=2&before=${first.body.bans[1].id}`);
    assert.deepEqual(
      [...first.body.bans, ...second.body.bans].map(({ id }: { id: string }) => id),
      made.reverse(),
    );
  });

  test('an unknown member of a ban is refused', async () => {
    const player = await person(broker);
    assert.equal((await ban({ account: player.id, untill: '2090-01-01T00:00:00Z' })).status, 422);
  });

  test('a reason has no control characters', async () => {
    const player = await person(broker, { name: uniqueName('Zed') });
    assert.equal((await ban({ account: player.id, reason: 'a\u0000b' })).status, 422);
  });
});
