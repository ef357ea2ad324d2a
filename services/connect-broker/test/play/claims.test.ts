/** Claims, reports, saves and releases: who may enter, who owns a character, and what is repaired. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Application } from '../../src/http/application.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { publicApplication } from '../../src/http/public.ts';
import { releaseAccount } from '../../src/play/sessions.ts';
import { expirePlaces } from '../../src/play/tasks.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { type Answer, asServer, connect, makePlayer, type Player, report, settle } from '../support/players.ts';

const ELDERMOOR = 'world:aurora/eldermoor';
const SUNREACH = 'world:aurora/sunreach';
const base64 = (text: string) => Buffer.from(text).toString('base64');

onDatabase('the API of game servers', (database) => {
  let broker: TestBroker;
  let application: Application;
  let internal: Application;
  let player: Player;

  before(async () => {
    broker = testBroker(database());
    application = await publicApplication(broker);
    internal = await internalApplication(broker);
  });
  beforeEach(async () => {
    for (const table of ['play_sessions', 'queue_entries', 'game_servers', 'server_orders', 'accounts'])
      await database().query(`delete from ${table}`);
    await settle(database());
    player = await makePlayer(broker);
  });
  after(async () => {
    await application.close();
    await internal.close();
    broker.dispose();
  });

  const call = (server: string, path: 'claims' | 'reports' | 'saves' | 'releases', payload: object) =>
    asServer(internal, broker, server, path, payload);
  const token = async (continent = 'eldermoor', who = player) => {
    const { status, body } = await connect(application, who, 'aurora', { continent });
    assert.equal(status, 200, JSON.stringify(body));
    return { playSessionId: body.playSessionId as string, clientId: body.clientId as string };
  };
  const entered = async (server: string, who = player) => {
    const session = await token(server.split('/')[1], who);
    const { status, body } = await call(server, 'claims', session);
    assert.equal(status, 200, JSON.stringify(body));
    return { ...session, epoch: body.character.epoch as string };
  };
  type Entered = Awaited<ReturnType<typeof entered>>;
  const release = ({ playSessionId, epoch }: Entered, server: string, reason = 'logged-out', state?: string) =>
    call(server, 'releases', { playSessionId, epoch, reason, ...(state === undefined ? {} : { state: base64(state) }) });
  const save = ({ playSessionId, epoch }: Entered, server: string, state: string) =>
    call(server, 'saves', { playSessionId, epoch, state: base64(state) });
  /** Lets time pass for a server that says nothing, while brokers are there. */
  const silence = async (seconds: number) => {
    await database().query('update game_servers set reported_at = reported_at - make_interval(secs => $1)', [seconds]);
    await database().query('update play_sessions set claimed_at = claimed_at - make_interval(secs => $1)', [seconds]);
  };
  const stateOf = async (session: { playSessionId: string }) =>
    (await database().query<{ state: string }>('select state from play_sessions where id = $1', [session.playSessionId]))[0]?.state;
  const refused = ({ status, body }: Answer) => [status, body.code, body.reason];

  describe('a claim', () => {
    test('answers with the account and the character', async () => {
      const session = await token();
      const { body } = await call(ELDERMOOR, 'claims', session);
      assert.deepEqual(body, {
        playSessionId: session.playSessionId,
        accountId: player.accountId,
        character: { id: player.characterId, name: player.name, state: null, epoch: '1' },
      });
    });

    test('makes the server the character’s owner', async () => {
      await entered(ELDERMOOR);
      assert.deepEqual(await database().query('select owner, epoch from characters where id = $1', [player.characterId]), [
        { owner: ELDERMOOR, epoch: 1n },
      ]);
    });

    test('is refused a second time', async () => {
      const session = await entered(ELDERMOOR);
      const { playSessionId, clientId } = session;
      assert.deepEqual(refused(await call(ELDERMOOR, 'claims', { playSessionId, clientId })), [409, 'claim-refused', 'claimed']);
    });

    test('is answered again when its answer was lost', async () => {
      const session = { ...(await token()), claimId: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' };
      const first = await call(ELDERMOOR, 'claims', session);
      assert.deepEqual((await call(ELDERMOOR, 'claims', session)).body, first.body);
    });

    test('of a session that a later one has superseded is refused', async () => {
      const earlier = await token();
      await token();
      assert.deepEqual(refused(await call(ELDERMOOR, 'claims', earlier)), [409, 'claim-refused', 'superseded']);
    });

    test('by another server is refused', async () => {
      assert.deepEqual(refused(await call(SUNREACH, 'claims', await token())), [409, 'claim-refused', 'mismatch']);
    });

    test('with another client id is refused', async () => {
      const session = await token();
      assert.deepEqual(refused(await call(ELDERMOOR, 'claims', { ...session, clientId: '18446744073709551615' })), [
        409,
        'claim-refused',
        'mismatch',
      ]);
    });

    test('by another pod of the same server is refused', async () => {
      const session = await token();
      await database().query("update play_sessions set pod_uid = 'an earlier one' where id = $1", [session.playSessionId]);
      assert.deepEqual(refused(await call(ELDERMOOR, 'claims', session)), [409, 'claim-refused', 'mismatch']);
    });

    test('of an account that was banned after its token is refused', async () => {
      const session = await token();
      await database().query("insert into bans (account_id, reason) values ($1, 'cheating')", [player.accountId]);
      const answer = await call(ELDERMOOR, 'claims', session);
      assert.deepEqual([...refused(answer), answer.body.message], [409, 'claim-refused', 'banned', 'cheating']);
    });

    test('from an address that was banned after its token is refused', async () => {
      const session = await token();
      await database().query("update play_sessions set client_address = '198.51.100.77' where id = $1", [session.playSessionId]);
      await database().query("insert into bans (network, reason) values ('198.51.100.0/24', 'a farm')");
      const answer = await call(ELDERMOOR, 'claims', session);
      await database().query("delete from bans where reason = 'a farm'");
      assert.deepEqual([...refused(answer), answer.body.message], [409, 'claim-refused', 'banned', 'a farm']);
    });

    test('within 15 s of the token’s end is accepted', async () => {
      const session = await token();
      await database().query("update play_sessions set token_expires_at = now() - interval '14 s' where id = $1", [session.playSessionId]);
      assert.equal((await call(ELDERMOOR, 'claims', session)).status, 200);
    });

    test('later than that is refused', async () => {
      const session = await token();
      await database().query("update play_sessions set token_expires_at = now() - interval '16 s' where id = $1", [session.playSessionId]);
      assert.deepEqual(refused(await call(ELDERMOOR, 'claims', session)), [409, 'claim-refused', 'expired']);
    });

    test('of a session that nobody knows is refused', async () => {
      const unknown = { playSessionId: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', clientId: '5' };
      assert.deepEqual(refused(await call(ELDERMOOR, 'claims', unknown)), [409, 'claim-refused', 'expired']);
    });

    test('without the server’s token is refused', async () => {
      const { statusCode } = await internal.inject({ method: 'POST', url: '/v1/game/claims', payload: await token() });
      assert.equal(statusCode, 401);
    });

    test('is counted by its result', async () => {
      const session = await token();
      await call(ELDERMOOR, 'claims', session);
      await call(ELDERMOOR, 'claims', session);
      const { values } = await broker.metrics.claims.get();
      const results = values.filter(({ labels }) => labels.target === 'aurora/eldermoor').map(({ labels }) => labels.result);
      assert.ok(results.includes('accepted') && results.includes('claimed'), results.join());
    });
  });

  describe('the claim of a later session', () => {
    test('waits while the earlier one is on another server', async () => {
      const earlier = await entered(ELDERMOOR);
      const later = await call(SUNREACH, 'claims', await token('sunreach'));
      assert.deepEqual(
        [later.status, later.body.code, later.headers['retry-after'], later.body.blockedBy],
        [409, 'claim-waits', '1', { playSessionId: earlier.playSessionId, serverId: ELDERMOOR }],
      );
    });

    test('waits on the same server as well', async () => {
      await entered(ELDERMOOR);
      assert.equal((await call(ELDERMOOR, 'claims', await token())).body.code, 'claim-waits');
    });

    test('is accepted once the earlier one was released, with its state and the next epoch', async () => {
      const earlier = await entered(ELDERMOOR);
      const later = await token('sunreach');
      await release(earlier, ELDERMOOR, 'handed-over', 'a sword');
      const { body } = await call(SUNREACH, 'claims', later);
      assert.deepEqual([body.character.state, body.character.epoch], [base64('a sword'), '2']);
    });

    test('is accepted when the earlier server has been silent for 15 s', async () => {
      await entered(ELDERMOOR);
      const later = await token('sunreach');
      await silence(16);
      assert.equal((await call(SUNREACH, 'claims', later)).status, 200);
    });

    test('waits while the earlier server reports', async () => {
      const earlier = await entered(ELDERMOOR);
      const later = await token('sunreach');
      await silence(16);
      await call(ELDERMOOR, 'reports', report([earlier.playSessionId]));
      assert.equal((await call(SUNREACH, 'claims', later)).body.code, 'claim-waits');
    });

    test('waits no longer than a minute for a server that does not obey', async () => {
      const earlier = await entered(ELDERMOOR);
      const later = await token('sunreach');
      await call(ELDERMOOR, 'reports', report([earlier.playSessionId]));
      await database().query("update play_sessions set superseded_at = now() - interval '61 s' where id = $1", [earlier.playSessionId]);
      assert.equal((await call(SUNREACH, 'claims', later)).status, 200);
    });

    test('keeps its own reservation while it waits', async () => {
      await entered(ELDERMOOR);
      const later = await token('sunreach');
      await database().query("update play_sessions set token_expires_at = now() - interval '14 s' where id = $1", [later.playSessionId]);
      await call(SUNREACH, 'claims', later);
      const [row] = await database().query<{ left: boolean }>(
        "select token_expires_at >= now() - interval '5 s' as left from play_sessions where id = $1",
        [later.playSessionId],
      );
      assert.equal(row?.left, true);
    });

    test('waits after an outage of the broker, because nobody could report', async () => {
      await entered(ELDERMOOR);
      const later = await token('sunreach');
      await silence(120);
      await database().query("update broker_clock set beat_at = now() - interval '2 minutes'");
      assert.equal((await call(SUNREACH, 'claims', later)).body.code, 'claim-waits');
    });

    test('is accepted 15 s after such an outage', async () => {
      await entered(ELDERMOOR);
      const later = await token('sunreach');
      await silence(120);
      await database().query("update broker_clock set beat_at = now(), up_since = now() - interval '16 s'");
      assert.equal((await call(SUNREACH, 'claims', later)).status, 200);
    });

    test('two later sessions at once: one enters', async () => {
      const session = await token();
      const both = await Promise.all([call(ELDERMOOR, 'claims', session), call(ELDERMOOR, 'claims', session)]);
      assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
    });
  });

  describe('a report', () => {
    test('orders the kick of a superseded session', async () => {
      const earlier = await entered(ELDERMOOR);
      const later = await token('sunreach');
      const { body } = await call(ELDERMOOR, 'reports', report([earlier.playSessionId]));
      assert.deepEqual(
        body.orders.map(({ id: _, ...order }: { id: string }) => order),
        [
          {
            kind: 'kick',
            playSessionId: earlier.playSessionId,
            details: { because: 'superseded', by: later.playSessionId, to: SUNREACH },
          },
        ],
      );
    });

    test('repeats an order until it is acknowledged', async () => {
      const earlier = await entered(ELDERMOOR);
      await token('sunreach');
      const first = await call(ELDERMOOR, 'reports', report([earlier.playSessionId]));
      const second = await call(ELDERMOOR, 'reports', report([earlier.playSessionId]));
      assert.deepEqual(second.body.orders, first.body.orders);
      const third = await call(
        ELDERMOOR,
        'reports',
        report([earlier.playSessionId], { acknowledged: first.body.orders.map(({ id }: { id: string }) => id) }),
      );
      assert.deepEqual(third.body.orders, []);
    });

    test('acknowledges its own server’s orders only', async () => {
      const earlier = await entered(ELDERMOOR);
      await token('sunreach');
      const { body } = await call(ELDERMOOR, 'reports', report([earlier.playSessionId]));
      await call(SUNREACH, 'reports', report([], { acknowledged: [body.orders[0].id] }));
      assert.equal((await call(ELDERMOOR, 'reports', report([earlier.playSessionId]))).body.orders.length, 1);
    });

    test('has a session that is no longer named held for its player', async () => {
      const session = await entered(ELDERMOOR);
      await silence(16);
      await call(ELDERMOOR, 'reports', report([]));
      assert.equal(await stateOf(session), 'held');
    });

    test('leaves a session alone that was claimed while it was written', async () => {
      const session = await entered(ELDERMOOR);
      await call(ELDERMOOR, 'reports', report([]));
      assert.equal(await stateOf(session), 'active');
    });

    test('makes a session that was thought lost active again', async () => {
      const session = await entered(ELDERMOOR);
      await silence(16);
      await call(ELDERMOOR, 'reports', report([]));
      await call(ELDERMOOR, 'reports', report([session.playSessionId]));
      assert.equal(await stateOf(session), 'active');
    });

    test('makes a session active again whose place had run out meanwhile, because its player never left', async () => {
      const session = await entered(ELDERMOOR);
      await silence(400);
      await expirePlaces(broker);
      await database().query("update play_sessions set held_until = now() - interval '1 s'");
      await expirePlaces(broker);
      assert.equal(await stateOf(session), 'ended');
      const { body } = await call(ELDERMOOR, 'reports', report([session.playSessionId]));
      assert.deepEqual([body.dropped, await stateOf(session), (await save(session, ELDERMOOR, 'still here')).status], [[], 'active', 204]);
    });

    test('is told to drop a session whose character plays elsewhere now', async () => {
      const session = await entered(ELDERMOOR);
      await silence(16);
      await entered(SUNREACH);
      const { body } = await call(ELDERMOOR, 'reports', report([session.playSessionId]));
      assert.deepEqual(body.dropped, [session.playSessionId]);
    });

    test('does not bring a released session back that it named before', async () => {
      const session = await entered(ELDERMOOR);
      await release(session, ELDERMOOR, 'disconnected');
      const { body } = await call(ELDERMOOR, 'reports', report([session.playSessionId]));
      assert.deepEqual([body.dropped, await stateOf(session)], [[session.playSessionId], 'held']);
    });

    test('of a new pod has the old one’s sessions held', async () => {
      const session = await entered(ELDERMOOR);
      await database().query("update play_sessions set pod_uid = 'the old one' where id = $1", [session.playSessionId]);
      await call(ELDERMOOR, 'reports', report([]));
      assert.equal(await stateOf(session), 'held');
    });

    test('with a kick because of a ban names the reason', async () => {
      const session = await entered(ELDERMOOR);
      await database().transaction((transaction) => releaseAccount(transaction, player.accountId, 'banned'));
      const { body } = await call(ELDERMOOR, 'reports', report([session.playSessionId]));
      assert.deepEqual(body.orders[0].details, { because: 'banned' });
    });
  });

  describe('a save', () => {
    test('is what the next claim gets', async () => {
      const session = await entered(ELDERMOOR);
      await save(session, ELDERMOOR, 'a shield');
      await release(session, ELDERMOOR);
      const { body } = await call(ELDERMOOR, 'claims', await token());
      assert.equal(body.character.state, base64('a shield'));
    });

    test('under a stale epoch is refused and stores nothing', async () => {
      const stale = await entered(ELDERMOOR);
      await silence(16);
      const present = await entered(SUNREACH);
      await save(present, SUNREACH, 'new');
      const { status, body } = await save(stale, ELDERMOOR, 'old');
      const [row] = await database().query<{ state: Uint8Array }>('select state from characters where id = $1', [player.characterId]);
      assert.deepEqual([status, body.code, body.presentEpoch, Buffer.from(row?.state ?? []).toString()], [409, 'stale-epoch', '2', 'new']);
    });

    test('after the release is refused', async () => {
      const session = await entered(ELDERMOOR);
      await release(session, ELDERMOOR, 'logged-out', 'last');
      assert.equal((await save(session, ELDERMOOR, 'late')).body.code, 'stale-epoch');
    });

    test('for another server’s session is refused', async () => {
      assert.equal((await save(await entered(ELDERMOOR), SUNREACH, 'x')).status, 403);
    });

    test('takes 64 KiB', async () => {
      const session = await entered(ELDERMOOR);
      const state = Buffer.alloc(65_536, 7).toString('base64');
      assert.equal((await call(ELDERMOOR, 'saves', { playSessionId: session.playSessionId, epoch: session.epoch, state })).status, 204);
    });

    test('of one byte more is refused', async () => {
      const session = await entered(ELDERMOOR);
      const state = Buffer.alloc(65_537, 7).toString('base64');
      assert.equal((await call(ELDERMOOR, 'saves', { playSessionId: session.playSessionId, epoch: session.epoch, state })).status, 422);
    });

    test('of what is no base64 is refused', async () => {
      const session = await entered(ELDERMOOR);
      const payload = { playSessionId: session.playSessionId, epoch: session.epoch, state: 'not base64!' };
      assert.equal((await call(ELDERMOOR, 'saves', payload)).status, 422);
    });
  });

  describe('a release', () => {
    test('is answered again when its answer was lost, also after the next claim', async () => {
      const session = await entered(ELDERMOOR);
      await release(session, ELDERMOOR, 'handed-over', 'first');
      const next = await entered(SUNREACH);
      await save(next, SUNREACH, 'second');
      const again = await release(session, ELDERMOOR, 'handed-over', 'first');
      const [row] = await database().query<{ state: Uint8Array }>('select state from characters where id = $1', [player.characterId]);
      assert.deepEqual([again.status, Buffer.from(row?.state ?? []).toString()], [204, 'second']);
    });

    test('under an epoch that never was is refused', async () => {
      const session = await entered(ELDERMOOR);
      assert.equal((await release({ ...session, epoch: '7' }, ELDERMOOR)).body.code, 'stale-epoch');
    });

    test('without state keeps what was saved', async () => {
      const session = await entered(ELDERMOOR);
      await save(session, ELDERMOOR, 'kept');
      await release(session, ELDERMOOR);
      const [row] = await database().query<{ state: Uint8Array }>('select state from characters where id = $1', [player.characterId]);
      assert.equal(Buffer.from(row?.state ?? []).toString(), 'kept');
    });

    test('makes the character nobody’s', async () => {
      await release(await entered(ELDERMOOR), ELDERMOOR);
      assert.deepEqual(await database().query('select owner from characters where id = $1', [player.characterId]), [{ owner: null }]);
    });

    test('of a kicked session withdraws the order', async () => {
      const session = await entered(ELDERMOOR);
      await token('sunreach');
      await release(session, ELDERMOOR);
      assert.deepEqual((await call(ELDERMOOR, 'reports', report([]))).body.orders, []);
    });

    test('of a superseded session holds no place', async () => {
      const session = await entered(ELDERMOOR);
      await token('sunreach');
      await release(session, ELDERMOOR, 'disconnected');
      assert.equal(await stateOf(session), 'ended');
    });
  });

  test('a character whose server never came back is nobody’s when its place has run out', async () => {
    await entered(ELDERMOOR);
    await silence(20);
    await expirePlaces(broker);
    await database().query("update play_sessions set held_until = now() - interval '1 s'");
    await expirePlaces(broker);
    assert.deepEqual(await database().query('select owner, epoch from characters where id = $1', [player.characterId]), [
      { owner: null, epoch: 1n },
    ]);
  });
});
