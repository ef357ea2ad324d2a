/** Connecting to a world: tokens, refusals, and who is asked to come back with what. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, mock, test } from 'node:test';
import { decodeConnectToken, decodeRenet, decodeUserData } from 'netcode-token';
import type { WorldServer } from '../../src/discovery/view.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { TEST_BUILD, TEST_PROTOCOL_ID, type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { connect, makePlayer, type Player, settle } from '../support/players.ts';

const SERVER = 'world:aurora/eldermoor';

onDatabase('connecting to a world', (database) => {
  let broker: TestBroker;
  let application: Application;
  let player: Player;
  let world: WorldServer;

  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    world = broker.view.world('aurora', 'eldermoor') as WorldServer;
  });
  beforeEach(async () => {
    await database().query("update play_sessions set state = 'ended'");
    await database().query('delete from queue_entries');
    await database().query('delete from game_servers');
    await settle(database());
    broker.view.setWorld(world);
    broker.view.setAgeSeconds(0);
    player = await makePlayer(broker);
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });

  const decoded = (token: string) => {
    const key = broker.netcodeKeys.forRealm('aurora', 1) as Uint8Array;
    return decodeConnectToken(Buffer.from(token, 'base64'), { key });
  };
  const exchange = (changes: Partial<WorldServer>) => broker.view.setWorld({ ...world, ...changes });

  test('answers 200 with a token of the standard’s form', async () => {
    const { status, body } = await connect(application, player);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(Buffer.from(body.token, 'base64').length, 2048);
  });

  test('gives renet’s form only when it is asked for', async () => {
    assert.equal((await connect(application, player)).body.renet, undefined);
    const { body } = await connect(application, player, 'aurora', { encodings: ['standard', 'renet'] });
    assert.deepEqual(Buffer.from(decodeRenet(Buffer.from(body.renet, 'base64')).token), Buffer.from(body.token, 'base64'));
  });

  test('puts the client id of the answer into the token and its user data', async () => {
    const { body } = await connect(application, player);
    const token = decoded(body.token);
    assert.equal(token.privatePart.clientId.toString(), body.clientId);
    assert.equal(decodeUserData(token.privatePart.userData).clientId.toString(), body.clientId);
  });

  test('gives another client id with each token', async () => {
    const first = await connect(application, player);
    const second = await connect(application, player);
    assert.notEqual(first.body.clientId, second.body.clientId);
  });

  test('stores the session that the user data names', async () => {
    const { body } = await connect(application, player);
    const rows = await database().query('select account_id, character_id, server_id, state from play_sessions where id = $1', [
      body.playSessionId,
    ]);
    assert.deepEqual(rows, [{ account_id: player.accountId, character_id: player.characterId, server_id: SERVER, state: 'reserved' }]);
  });

  test('forbids caches', async () => {
    assert.equal((await connect(application, player)).headers['cache-control'], 'no-store');
  });

  test('goes to the character’s home when no continent is said', async () => {
    const [visitor] = [await makePlayer(broker, { continent: 'sunreach' })];
    const { body } = await connect(application, visitor);
    const [row] = await database().query<{ server_id: string }>('select server_id from play_sessions where id = $1', [body.playSessionId]);
    assert.equal(row?.server_id, 'world:aurora/sunreach');
  });

  test('goes to the first continent of a realm that is not the character’s home', async () => {
    const { body } = await connect(application, player, 'umbra');
    const [row] = await database().query<{ server_id: string }>('select server_id from play_sessions where id = $1', [body.playSessionId]);
    assert.equal(row?.server_id, 'world:umbra/nightfall');
  });

  test('goes to the continent that is said', async () => {
    const { body } = await connect(application, player, 'aurora', { continent: 'sunreach' });
    const [row] = await database().query<{ server_id: string }>('select server_id from play_sessions where id = $1', [body.playSessionId]);
    assert.equal(row?.server_id, 'world:aurora/sunreach');
  });

  const refusals: [string, () => Promise<unknown> | unknown, object, number, string][] = [
    ['a realm that does not exist', () => undefined, { realm: 'atlantis' }, 404, 'not-found'],
    ['a continent that does not exist', () => undefined, { continent: 'atlantis' }, 404, 'not-found'],
    ['a character of nobody', () => undefined, { characterId: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' }, 404, 'not-found'],
    ['another build', () => undefined, { client: { build: '0.4.1' } }, 409, 'client-outdated'],
    ['another protocol', () => undefined, { client: { protocolId: '0x1' } }, 409, 'client-outdated'],
    ['a server that is not there', () => exchange({ phase: 'missing', identity: undefined }), {}, 503, 'realm-unavailable'],
    ['a server that stops', () => exchange({ phase: 'stopping' }), {}, 503, 'realm-unavailable'],
    ['a view that is too old', () => broker.view.setAgeSeconds(301), {}, 503, 'realm-unavailable'],
    ['a field that does not exist', () => undefined, { character: 'x' }, 422, 'invalid'],
  ];
  for (const [what, prepare, body, status, code] of refusals) {
    test(`refuses ${what} with ${status} ${code}`, async () => {
      await prepare();
      const { realm, ...rest } = body as { realm?: string };
      const answer = await connect(application, player, realm, rest);
      assert.deepEqual([answer.status, answer.body.code], [status, code]);
    });
  }

  const reasons: [string, () => unknown, string][] = [
    [
      'maintenance',
      () => database().query("insert into realm_maintenance (realm, message) values ('aurora', 'new dungeon')"),
      'maintenance',
    ],
    [
      'a server that does not accept',
      () =>
        database().query(
          "insert into game_servers (server_id, pod_uid, accepting, build, players, capacity) values ($1, $2, false, '0.4.2', 0, 100)",
          [SERVER, world.identity?.podUid],
        ),
      'draining',
    ],
    ['a key that is missing', () => world.identity && exchange({ identity: { ...world.identity, keyGeneration: 2 } }), 'key-missing'],
    ['no address', () => world.identity && exchange({ identity: { ...world.identity, lan: [], wan: [] } }), 'no-address'],
  ];
  for (const [what, prepare, reason] of reasons) {
    test(`says '${reason}' and when to try again for ${what}`, async () => {
      await prepare();
      const answer = await connect(application, player);
      await database().query('delete from realm_maintenance');
      assert.deepEqual([answer.status, answer.body.reason, Number(answer.headers['retry-after']) > 0], [503, reason, true]);
    });
  }

  test('lets an administrator in during maintenance', async () => {
    const admin = await makePlayer(broker, { role: 'admin' });
    await database().query("insert into realm_maintenance (realm, message) values ('aurora', 'new dungeon')");
    const { status } = await connect(application, admin);
    await database().query('delete from realm_maintenance');
    assert.equal(status, 200);
  });

  test('tells an outdated client what is required and where it is', async () => {
    const { body } = await connect(application, player, 'aurora', { client: { build: '0.4.1' } });
    assert.deepEqual(body.required, { protocolId: TEST_PROTOCOL_ID, build: TEST_BUILD, downloadUrl: 'https://example.org/client' });
  });

  test('takes a client whose protocol is written in decimal', async () => {
    const answer = await connect(application, player, 'aurora', {
      client: { protocolId: BigInt(TEST_PROTOCOL_ID).toString(), build: TEST_BUILD },
    });
    assert.equal(answer.status, 200);
  });

  test('refuses who has no session before it tells anything else', async () => {
    const answer = await connect(application, { ...player, headers: { authorization: 'Bearer x' } }, 'atlantis');
    assert.deepEqual([answer.status, answer.body.code], [401, 'not-logged-in']);
  });

  test('refuses another account’s character as if it did not exist', async () => {
    const other = await makePlayer(broker);
    const answer = await connect(application, { ...player, characterId: other.characterId });
    assert.equal(answer.status, 404);
  });

  test('refuses a banned account with the reason', async () => {
    await database().query("insert into bans (account_id, reason) values ($1, 'cheating')", [player.accountId]);
    const { status, body } = await connect(application, player);
    assert.deepEqual([status, body.code, body.reason], [403, 'banned', 'cheating']);
  });

  test('refuses a banned address', async () => {
    await database().query("insert into bans (network, reason) values ('198.51.100.66/32', 'attack')");
    const { body } = await connect(application, player, 'aurora', {}, '198.51.100.66');
    assert.equal(body.code, 'banned');
  });

  test('reserves nothing for a refused client', async () => {
    await connect(application, player, 'aurora', { client: { build: 'old' } });
    assert.deepEqual(await database().query('select 1 from play_sessions where account_id = $1', [player.accountId]), []);
  });

  test('queues for a world that starts', async () => {
    exchange({ phase: 'starting', identity: undefined });
    const { status, body } = await connect(application, player);
    assert.deepEqual([status, body.state, body.position], [202, 'starting', 1]);
  });

  test('queues for a world that sleeps', async () => {
    exchange({ phase: 'asleep', identity: undefined });
    const { status, body } = await connect(application, player);
    assert.deepEqual([status, body.state], [202, 'asleep']);
  });

  test('counts an issued token', async () => {
    const value = async () =>
      (await broker.metrics.tokens.get()).values.find(({ labels }) => labels.result === 'issued' && labels.target === 'aurora/eldermoor')
        ?.value ?? 0;
    const earlier = await value();
    await connect(application, player);
    assert.equal(await value(), earlier + 1);
  });

  test('logs neither token nor address', async () => {
    broker.logged.length = 0;
    const { body } = await connect(application, player, 'aurora', {}, '198.51.100.99');
    const lines = JSON.stringify(broker.logged);
    assert.ok(!lines.includes(body.token.slice(0, 40)) && !lines.includes('198.51.100.99') && lines.includes('answered'));
  });

  describe('with a broker’s clock an hour ahead of the database’s', () => {
    before(() => mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 }));
    after(() => mock.timers.reset());

    test('the token ends by the broker’s clock', async () => {
      const { body } = await connect(application, player);
      assert.equal(Date.parse(body.expiresAt) - Math.floor(Date.now() / 1000) * 1000, 35_000);
    });

    test('the place ends by the database’s clock', async () => {
      const { body } = await connect(application, player);
      const [row] = await database().query<{ left: number }>(
        'select extract(epoch from token_expires_at - now())::double precision as left from play_sessions where id = $1',
        [body.playSessionId],
      );
      assert.ok(row && row.left > 0 && row.left <= 35, `${row?.left}`);
    });
  });
});

onDatabase('a world whose names are too long for a token', (database) => {
  test('keeps the broker from starting, with the place', async () => {
    const [realm, continent] = ['r'.repeat(50), 'c'.repeat(50)];
    const lan = { address: '192.168.1.245', port: 40_000 };
    const continents = [{ name: continent, title: 'Long', capacity: 3, lan }];
    const broker = testBroker(database(), testSettings({ realms: [{ name: realm, title: 'Long', namespace: 'realm-long', continents }] }));
    await assert.rejects(publicApplication(broker), /realms\.r{50}\.continents\.c{50}: .* at most 89/);
    broker.dispose();
  });
});
