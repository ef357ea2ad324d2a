/** The database dies in the middle of play: 503 meanwhile, and afterwards every place is where it was. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrate.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import type { Application } from '../../src/http/application.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import { expirePlaces } from '../../src/play/tasks.ts';
import { pause } from '../../src/shutdown.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { NO_POSTGRES } from '../support/databases.ts';
import { as, asServer, connect, makePlayers, type Player, report, settle } from '../support/players.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';

const SERVER = 'world:aurora/eldermoor';

describe('play while the database dies', { skip: NO_POSTGRES }, () => {
  let server: TestPostgres;
  let database: Database;
  let broker: TestBroker;
  let application: Application;
  let internal: Application;
  let players: Player[];
  let session: { playSessionId: string; epoch: string };

  before(async () => {
    server = (await startTestPostgres()) as TestPostgres;
    database = openPostgres({
      host: '127.0.0.1',
      port: server.port,
      name: 'postgres',
      poolSize: 5,
      applicationName: 'tests',
      credentials: { username: server.superuser },
    });
    await migrate(database);
    await settle(database);
    broker = testBroker(database);
    application = await publicApplication(broker);
    internal = await internalApplication(broker);
    players = await makePlayers(broker, 5);
    // One plays, two have places, two wait.
    const answers = [];
    for (const player of players) answers.push(await connect(application, player));
    const { playSessionId, clientId } = answers[0]?.body ?? {};
    const claimed = await asServer(internal, broker, SERVER, 'claims', { playSessionId, clientId });
    session = { playSessionId, epoch: claimed.body.character.epoch };
    await asServer(internal, broker, SERVER, 'reports', report([playSessionId]));
    await server.crash();
  });
  after(async () => {
    await application.close();
    await internal.close();
    await database.close();
    broker.dispose();
    await server.stop();
  });

  test('a connect is answered 503 with a time to come back', async () => {
    const { status, body, headers } = await connect(application, players[0] as Player);
    assert.deepEqual([status, body.code, headers['retry-after']], [503, 'unavailable', '5']);
  });

  test('a report is answered 503, so the server plays on', async () => {
    assert.equal((await asServer(internal, broker, SERVER, 'reports', report([session.playSessionId]))).status, 503);
  });

  test('when it is back after minutes, nobody has lost a place', async () => {
    await server.restart();
    for (let tries = 0; ; tries++) {
      try {
        await database.query('select 1');
        break;
      } catch (error) {
        if (tries > 100) throw error;
        await pause(50);
      }
    }
    // Five minutes have passed for everything that anybody could have renewed.
    for (const [table, columns] of [
      ['broker_clock', ['beat_at']],
      ['game_servers', ['reported_at']],
      ['queue_entries', ['polled_at']],
      ['play_sessions', ['claimed_at', 'token_expires_at']],
    ] as const)
      await database.query(`update ${table} set ${columns.map((column) => `${column} = ${column} - interval '5 minutes'`).join(', ')}`);
    await database.query('select broker_beat()');
    await expirePlaces(broker);
    const states = await database.query(
      "select state, count(*)::integer as places from play_sessions where state <> 'ended' group by state order by state",
    );
    assert.deepEqual(states, [
      { state: 'active', places: 1 },
      { state: 'reserved', places: 2 },
    ]);
    assert.deepEqual(
      await Promise.all(
        [players[3] as Player, players[4] as Player].map(
          async (player) => (await as(application, player, 'GET', '/v1/queue')).body.position,
        ),
      ),
      [1, 2],
    );
  });

  test('the server’s next report finds its player still there, and its save is stored', async () => {
    const { body } = await asServer(internal, broker, SERVER, 'reports', report([session.playSessionId]));
    const saved = await asServer(internal, broker, SERVER, 'saves', { ...session, state: Buffer.from('on and on').toString('base64') });
    assert.deepEqual([body, saved.status], [{ orders: [], dropped: [] }, 204]);
  });

  test('who had a place gets a new token for it', async () => {
    assert.equal((await connect(application, players[1] as Player)).status, 200);
  });
});
