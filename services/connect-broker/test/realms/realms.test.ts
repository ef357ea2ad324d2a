/** The list of realms over HTTP: its numbers, its entity tags, and what it says when the database or the servers are out of sight. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { DatabaseUnavailable } from '../../src/database/database.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { boardOf } from '../../src/realms/board.ts';
import type { RealmEntry, RealmsDocument } from '../../src/realms/document.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { addPlayer } from './support.ts';

onDatabase('The realms', (database) => {
  let broker: TestBroker;
  let application: Application;
  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    await boardOf(broker).refresh();
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });
  const list = async () => (await application.inject('/v1/realms')).json<RealmsDocument>();

  it('are listed to somebody who is not logged in', async () => {
    assert.deepEqual(
      (await list()).realms.map(({ name }) => name),
      ['aurora', 'umbra'],
    );
  });

  it('count players and queues', async () => {
    await addPlayer(broker, 'world:aurora/eldermoor', 'active');
    await addPlayer(broker, 'world:aurora/sunreach', 'queued');
    await boardOf(broker).refresh();
    const [aurora] = (await list()).realms;
    assert.deepEqual([aurora?.players, aurora?.queue], [1, 1]);
  });

  it('are full when every place is taken', async () => {
    await addPlayer(broker, 'world:umbra/nightfall', 'active');
    await addPlayer(broker, 'world:umbra/nightfall', 'reserved');
    await boardOf(broker).refresh();
    assert.equal((await list()).realms[1]?.status, 'full');
  });

  it('keep their entity tag while nothing changes', async () => {
    const first = await application.inject('/v1/realms');
    await boardOf(broker).refresh();
    const second = await application.inject('/v1/realms');
    assert.equal(second.headers.etag, first.headers.etag);
  });

  it('answer 304 without a body to somebody who has them', async () => {
    const { headers } = await application.inject('/v1/realms');
    const again = await application.inject({ url: '/v1/realms', headers: { 'if-none-match': `"other", W/${headers.etag}` } });
    assert.deepEqual([again.statusCode, again.body], [304, '']);
  });

  it('may be kept, and must be asked about', async () => {
    assert.equal((await application.inject('/v1/realms')).headers['cache-control'], 'no-cache');
  });

  it('change their entity tag when a server does', async () => {
    const { headers } = await application.inject('/v1/realms');
    const world = broker.view.world('aurora', 'sunreach');
    assert.ok(world);
    broker.view.setWorld({ ...world, phase: 'starting' });
    boardOf(broker).look();
    const changed = await application.inject({ url: '/v1/realms', headers: { 'if-none-match': String(headers.etag) } });
    broker.view.setWorld(world);
    boardOf(broker).look();
    assert.equal(changed.statusCode, 200);
  });

  it('are under maintenance from the next reading on', async () => {
    await database().query(`insert into realm_maintenance (realm, message) values ('aurora', 'New roofs.')`);
    await boardOf(broker).refresh();
    const [aurora] = (await list()).realms;
    await database().query('delete from realm_maintenance');
    await boardOf(broker).refresh();
    assert.deepEqual([aurora?.status, aurora?.maintenance], ['maintenance', { message: 'New roofs.', until: null }]);
  });

  it('can be asked for one by one, with the same numbers', async () => {
    const one = (await application.inject('/v1/realms/aurora')).json<RealmEntry>();
    assert.equal(one.players, 1);
  });

  it('that do not exist are not found', async () => {
    const answer = await application.inject('/v1/realms/atlantis');
    assert.deepEqual([answer.statusCode, answer.json<{ code: string }>().code], [404, 'not-found']);
  });

  it('say since when the servers were not heard of', async () => {
    broker.view.setAgeSeconds(900);
    boardOf(broker).look();
    const { servers } = await list();
    broker.view.setAgeSeconds(0);
    boardOf(broker).look();
    assert.ok(!servers.current && Math.abs(Date.parse(servers.asOf ?? '') - (Date.now() - 900_000)) < 10_000, JSON.stringify(servers));
  });

  it('keep the last numbers when the database is away, and say of when they are', async (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const away = testBroker(database(), testSettings(), {});
    const board = boardOf(away);
    await board.refresh();
    const readAt = new Date().toISOString();
    const query = context.mock.method(away.database, 'query', async () => {
      throw new DatabaseUnavailable(new Error('gone'));
    });
    context.mock.timers.setTime(Date.now() + 30_000);
    await assert.rejects(board.refresh());
    board.look();
    query.mock.restore();
    const document = JSON.parse(board.list().body.toString()) as RealmsDocument;
    away.dispose();
    assert.deepEqual([document.numbers, document.realms[0]?.players], [{ current: false, asOf: readAt }, 1]);
  });

  it('say that there are no numbers before the first reading', async () => {
    const fresh = testBroker(database());
    const document = JSON.parse(boardOf(fresh).list().body.toString()) as RealmsDocument;
    fresh.dispose();
    assert.deepEqual(document.numbers, { current: false, asOf: null });
  });
});
