/** Maintenance of realms and orders to servers over HTTP. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { WorldServer } from '../../src/discovery/view.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { administrator, ask, lastEntry, type Person } from './support.ts';

onDatabase('servers for operators', (database) => {
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
  const start = (realm: string, body: object) => ask(application, admin, 'PUT', `/realms/${realm}/maintenance`, { body });
  const stop = (realm: string) => ask(application, admin, 'DELETE', `/realms/${realm}/maintenance`);
  const orders = () =>
    database().query<{ server_id: string; kind: string; details: unknown }>(
      'select server_id, kind, details from server_orders order by id',
    );
  const clear = () => database().query('delete from server_orders');

  test('maintenance is listed with its message', async () => {
    await start('aurora', { message: 'New dungeon' });
    const { body } = await ask(application, admin, 'GET', '/maintenance');
    assert.deepEqual(
      body.realms.map(({ realm, message, until }: Record<string, unknown>) => ({ realm, message, until })),
      [{ realm: 'aurora', message: 'New dungeon', until: null }],
    );
    await stop('aurora');
  });

  test('maintenance that goes on keeps its beginning when its message changes', async () => {
    const first = await start('aurora', { message: 'One' });
    const second = await start('aurora', { message: 'Two' });
    assert.deepEqual([second.body.message, second.body.since], ['Two', first.body.since]);
    await stop('aurora');
  });

  test('maintenance ends', async () => {
    await start('aurora', { message: 'x' });
    assert.deepEqual((await stop('aurora')).body, { ended: true });
    assert.deepEqual(await database().query('select 1 from realm_maintenance'), []);
  });

  test('ending it twice is no mistake and says so', async () => {
    assert.deepEqual((await stop('aurora')).body, { ended: false });
  });

  test('a realm that is not there is refused with those that are', async () => {
    const answer = await start('nowhere', { message: 'x' });
    assert.equal(answer.status, 404);
    assert.match(answer.body.detail, /There is no realm 'nowhere'; there are aurora, umbra\./);
  });

  test('an expected end in the past is refused', async () => {
    assert.equal((await start('aurora', { message: 'x', until: '2020-01-01T00:00:00Z' })).status, 422);
  });

  test('maintenance of a realm that the settings lost can still be ended', async () => {
    await database().query("insert into realm_maintenance (realm, message) values ('retired', 'x')");
    assert.deepEqual((await stop('retired')).body, { ended: true });
  });

  test('maintenance is in the audit log', async () => {
    await start('umbra', { message: 'Storm' });
    assert.equal((await lastEntry(database(), 'realm:umbra'))?.action, 'maintenance.started');
    await stop('umbra');
    assert.equal((await lastEntry(database(), 'realm:umbra'))?.action, 'maintenance.ended');
  });

  test('an announcement goes to one server', async () => {
    await clear();
    const to = { server: 'world:aurora/eldermoor' };
    const answer = await ask(application, admin, 'POST', '/announcements', { body: { to, message: 'Restart at nine' } });
    assert.deepEqual(answer.body, { servers: ['world:aurora/eldermoor'] });
    assert.deepEqual(await orders(), [{ server_id: 'world:aurora/eldermoor', kind: 'announce', details: { message: 'Restart at nine' } }]);
  });

  test('an announcement goes to every world of a realm', async () => {
    const answer = await ask(application, admin, 'POST', '/announcements', { body: { to: { realm: 'aurora' }, message: 'x' } });
    assert.deepEqual(answer.body.servers, ['world:aurora/eldermoor', 'world:aurora/sunreach']);
  });

  test('an announcement to all goes to worlds and to instances that are played on', async () => {
    const world = broker.view.world('umbra', 'nightfall') as WorldServer;
    for (const [name, state] of [
      ['dungeon-played', 'Allocated'],
      ['dungeon-waiting', 'Ready'],
    ] as const) {
      broker.view.setInstance({
        name,
        uid: name,
        contentType: 'dungeon',
        state,
        instanceId: undefined,
        readyFor: undefined,
        createdAt: 0,
        identity: { ...(world.identity as NonNullable<WorldServer['identity']>), serverId: `instance:${name}` },
      });
    }
    const answer = await ask(application, admin, 'POST', '/announcements', { body: { to: { all: true }, message: 'x' } });
    broker.view.removeInstance('dungeon-played');
    broker.view.removeInstance('dungeon-waiting');
    assert.deepEqual(answer.body.servers, [
      'instance:dungeon-played',
      'world:aurora/eldermoor',
      'world:aurora/sunreach',
      'world:umbra/nightfall',
    ]);
  });

  test('a server that does not run is told nothing', async () => {
    const world = broker.view.world('umbra', 'nightfall') as WorldServer;
    const { identity: _, ...asleep } = world;
    broker.view.setWorld({ ...asleep, phase: 'asleep' });
    const answer = await ask(application, admin, 'POST', '/saves', { body: { to: { realm: 'umbra' } } });
    broker.view.setWorld(world);
    assert.equal(answer.status, 409);
  });

  test('a server that is not there is refused', async () => {
    const answer = await ask(application, admin, 'POST', '/drains', { body: { to: { server: 'aurora/eldermoor' } } });
    assert.match(answer.body.detail, /Servers are named world:<realm>\/<continent> and instance:<GameServer>\./);
  });

  test('a drain without a target is refused', async () => {
    assert.match(
      (await ask(application, admin, 'POST', '/drains', { body: { to: {} } })).body.detail,
      /must have one of server, realm and all/,
    );
  });

  test('a drain of two targets is refused', async () => {
    assert.equal((await ask(application, admin, 'POST', '/drains', { body: { to: { realm: 'aurora', all: true } } })).status, 422);
  });

  for (const [path, kind] of [
    ['/drains', 'drain'],
    ['/saves', 'save'],
  ] as const) {
    test(`POST ${path} orders a ${kind}`, async () => {
      await clear();
      await ask(application, admin, 'POST', path, { body: { to: { server: 'world:umbra/nightfall' } } });
      assert.deepEqual(await orders(), [{ server_id: 'world:umbra/nightfall', kind, details: {} }]);
    });
  }

  test('an order is in the audit log with the servers', async () => {
    await ask(application, admin, 'POST', '/saves', { body: { to: { realm: 'aurora' } } });
    const entry = await lastEntry(database(), 'realm:aurora');
    assert.deepEqual(
      [entry?.action, entry?.details],
      ['server.save-ordered', { servers: ['world:aurora/eldermoor', 'world:aurora/sunreach'] }],
    );
  });

  test('an announcement that nobody fetched runs out', async () => {
    await clear();
    await ask(application, admin, 'POST', '/announcements', { body: { to: { all: true }, message: 'x' } });
    const [row] = await database().query<{ seconds: number }>(
      'select max(extract(epoch from expires_at - created_at))::int as seconds from server_orders',
    );
    assert.equal(row?.seconds, 60);
  });

  test('a message of several lines is refused', async () => {
    const answer = await ask(application, admin, 'POST', '/announcements', { body: { to: { all: true }, message: 'a\nb' } });
    assert.match(answer.body.detail, /must be one line/);
  });
});
