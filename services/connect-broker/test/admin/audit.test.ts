/** The audit log: pages, filters, and that it stays as it was written. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { audit, pruneAudit } from '../../src/admin/audit.ts';
import { sqlState } from '../../src/database/database.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { administrator, ask, type Person, uniqueName } from './support.ts';

onDatabase('the audit log', (database) => {
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
  const read = async (query: string) => (await ask(application, admin, 'GET', `/audit?${query}`)).body;
  const write = (action: string, target: string, actor?: Person) =>
    audit(database(), { actorId: actor?.id, actorName: actor?.name ?? 'broker', action, target, details: { n: 1 } });

  test('an entry comes back as it was written', async () => {
    const target = uniqueName('thing:');
    await write('thing.done', target, admin);
    const { entries } = await read(`target=${target}`);
    const [{ id, at, ...entry }] = entries;
    assert.match(id, /^[0-9]+$/);
    assert.match(at, /Z$/);
    assert.deepEqual(entry, { actor: { id: admin.id, name: admin.name }, action: 'thing.done', target, details: { n: 1 } });
  });

  test('an entry without an account says who acted', async () => {
    const target = uniqueName('thing:');
    await write('thing.done', target);
    assert.deepEqual((await read(`target=${target}`)).entries[0].actor, { id: null, name: 'broker' });
  });

  test('entries come in pages, the newest first', async () => {
    const target = uniqueName('thing:');
    for (const action of ['thing.a', 'thing.b', 'thing.c']) await write(action, target);
    const first = await read(`target=${target}&limit=2`);
    const second = await read(`target=${target}&limit=2&before=${first.entries[1].id}`);
    assert.deepEqual(
      [...first.entries, ...second.entries].map(({ action }: { action: string }) => action),
      ['thing.c', 'thing.b', 'thing.a'],
    );
  });

  test('entries are in the order of their numbers and not of their digits', async () => {
    const target = uniqueName('thing:');
    for (let i = 0; i < 12; i++) await write('thing.done', target);
    const ids = (await read(`target=${target}`)).entries.map(({ id }: { id: string }) => BigInt(id));
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => (a < b ? 1 : -1)),
    );
    // Ten apart, so that somewhere the digits' order is another one.
    assert.equal(ids[0] - ids[11], 11n);
  });

  test('entries are found by their area', async () => {
    const target = uniqueName('thing:');
    for (const action of ['area.made', 'area-two.made', 'area.lifted']) await write(action, target);
    assert.deepEqual(
      (await read(`target=${target}&action=area`)).entries.map(({ action }: { action: string }) => action),
      ['area.lifted', 'area.made'],
    );
  });

  test('entries are found by who acted', async () => {
    const other = await administrator(broker);
    const target = uniqueName('thing:');
    await write('thing.mine', target, admin);
    await write('thing.theirs', target, other);
    assert.deepEqual(
      (await read(`actor=${other.id}`)).entries.map(({ action }: { action: string }) => action),
      ['thing.theirs'],
    );
  });

  test('entries are found by time', async () => {
    const target = uniqueName('thing:');
    await write('thing.done', target);
    assert.deepEqual((await read(`target=${target}&until=2020-01-01T00:00:00Z`)).entries, []);
  });

  test('a filter that does not exist is refused', async () => {
    assert.equal((await ask(application, admin, 'GET', '/audit?acton=ban')).status, 422);
  });

  test('an entry cannot be changed', async () => {
    await write('thing.done', 'thing:kept');
    await assert.rejects(
      database().query("update audit_log set action = 'thing.undone' where target = 'thing:kept'"),
      (error) => sqlState(error) === '42501',
    );
  });

  test('a young entry cannot be removed', async () => {
    await write('thing.done', 'thing:kept');
    await assert.rejects(database().query("delete from audit_log where target = 'thing:kept'"), /kept as they are for a year/);
  });

  test('entries are removed when they are older than they are to be kept', async () => {
    await database().query(
      `insert into audit_log (at, actor_name, action, target)
       select now() - days * interval '1 day', 'broker', 'thing.done', 'thing:' || days from unnest(array[400, 500]) as days`,
    );
    await pruneAudit(database(), 450);
    const left = await database().query("select target from audit_log where target in ('thing:400', 'thing:500')");
    assert.deepEqual(left, [{ target: 'thing:400' }]);
  });

  test('a retention of less than a year is refused', () => {
    assert.throws(() => testSettings({ audit: { retentionDays: 365 } }), /audit\.retentionDays/);
  });

  test('an entry of more than a year can be removed', async () => {
    await database().query(
      "insert into audit_log (at, actor_name, action, target) values (now() - interval '366 days', 'broker', 'thing.done', 'thing:old')",
    );
    assert.equal((await database().query("delete from audit_log where target = 'thing:old' returning id")).length, 1);
  });
});
