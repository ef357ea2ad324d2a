/** Characters: making, listing and deleting them. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { MOST_CHARACTERS } from '../../src/characters/routes.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { as, connect, makePlayer, type Player, settle } from '../support/players.ts';

onDatabase('characters', (database) => {
  let broker: TestBroker;
  let application: Application;
  let player: Player;

  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
  });
  beforeEach(async () => {
    await database().query('delete from accounts');
    await settle(database());
    player = await makePlayer(broker);
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });
  const make = (body: object, who = player) => as(application, who, 'POST', '/v1/characters', { name: 'Brynja', realm: 'aurora', ...body });
  const list = async (who = player) =>
    (await as(application, who, 'GET', '/v1/characters')).body.characters as { id: string; name: string; playing: boolean }[];

  test('are made in a realm’s first continent when none is said', async () => {
    const { status, body } = await make({});
    assert.deepEqual([status, body.name, body.realm, body.continent, body.playing], [201, 'Brynja', 'aurora', 'eldermoor', false]);
  });

  test('are made in the continent that is said', async () => {
    assert.equal((await make({ continent: 'sunreach' })).body.continent, 'sunreach');
  });

  test('are listed, the oldest first, only one’s own', async () => {
    await make({});
    await make({ name: 'Zoe' }, await makePlayer(broker));
    assert.deepEqual(
      (await list()).map(({ name }) => name),
      [player.name, 'Brynja'],
    );
  });

  for (const spelled of ['brynja', 'ＢＲＹＮＪＡ'])
    test(`have names that are unique however they are spelled: ${spelled}`, async () => {
      await make({});
      const { status, body } = await make({ name: spelled }, await makePlayer(broker));
      assert.deepEqual([status, body.code], [409, 'name-taken']);
    });

  test('with one name made at once: one is made', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => make({})));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409]);
  });

  test('are named by the rules of accounts', async () => {
    const { status, body } = await make({ name: 'a b' });
    assert.deepEqual([status, body.mistakes[0].at], [422, '/name']);
  });

  test('need a realm that exists, and hear which do', async () => {
    const { status, body } = await make({ realm: 'atlantis' });
    assert.deepEqual(
      [status, body.mistakes],
      [422, [{ in: 'body', at: '/realm', problem: 'there is no such realm; there are aurora, umbra' }]],
    );
  });

  test('need a continent of that realm', async () => {
    assert.equal((await make({ continent: 'nightfall' })).body.mistakes[0].at, '/continent');
  });

  test('are at most ten of an account, also when they are made at once', async () => {
    const answers = await Promise.all(Array.from({ length: MOST_CHARACTERS + 2 }, (_, index) => make({ name: `Brynja${index}` })));
    // One came with the player.
    assert.equal(answers.filter(({ status }) => status === 201).length, MOST_CHARACTERS - 1);
    assert.equal((await list()).length, MOST_CHARACTERS);
  });

  test('are deleted with their names', async () => {
    const { body } = await make({});
    assert.equal((await as(application, player, 'DELETE', `/v1/characters/${body.id}`)).status, 204);
    assert.equal((await make({})).status, 201);
  });

  test('of others cannot be deleted', async () => {
    const other = await makePlayer(broker);
    assert.equal((await as(application, player, 'DELETE', `/v1/characters/${other.characterId}`)).status, 404);
  });

  test('with a place on a server cannot be deleted', async () => {
    await connect(application, player);
    const { status, body } = await as(application, player, 'DELETE', `/v1/characters/${player.characterId}`);
    assert.deepEqual([status, body.code, (await list())[0]?.playing], [409, 'conflict', true]);
  });

  test('that a server owns cannot be deleted', async () => {
    await database().query("update characters set owner = 'world:aurora/eldermoor' where id = $1", [player.characterId]);
    assert.equal((await as(application, player, 'DELETE', `/v1/characters/${player.characterId}`)).status, 409);
  });

  test('that wait in a queue leave it when they are deleted', async () => {
    await database().query(
      "insert into worlds (server_id, realm, continent) values ('world:aurora/eldermoor', 'aurora', 'eldermoor') on conflict do nothing",
    );
    await database().query("insert into queue_entries (server_id, account_id, character_id) values ('world:aurora/eldermoor', $1, $2)", [
      player.accountId,
      player.characterId,
    ]);
    await as(application, player, 'DELETE', `/v1/characters/${player.characterId}`);
    assert.deepEqual(await database().query('select 1 from queue_entries'), []);
  });

  test('need a session', async () => {
    assert.equal((await application.inject('/v1/characters')).statusCode, 401);
  });
});
