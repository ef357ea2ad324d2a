/** Hand-overs: whatever dies at whichever step, an item that was gained exists exactly once, and only one server can write. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import type { GameServerCaller } from '../../src/discovery/game-server-auth.ts';
import { staticTokens } from '../../src/discovery/static-tokens.ts';
import type { Application } from '../../src/http/application.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { reserve } from '../../src/play/sessions.ts';
import { expirePlaces } from '../../src/play/tasks.ts';
import { type TestBroker, testBroker } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { asServer, makePlayer, type Player, report, settle } from '../support/players.ts';

/** A world, the pod that replaces it after its death, and a dungeon, with one more that replaces that. */
const SERVERS = {
  world: { serverId: 'world:aurora/eldermoor', podUid: 'world-1' },
  'world again': { serverId: 'world:aurora/eldermoor', podUid: 'world-2' },
  dungeon: { serverId: 'instance:dungeon-a', podUid: 'dungeon-a' },
  'another dungeon': { serverId: 'instance:dungeon-b', podUid: 'dungeon-b' },
} as const;
type Name = keyof typeof SERVERS;

interface Held {
  readonly playSessionId: string;
  readonly epoch: string;
  items: string[];
}

onDatabase('a hand-over', (database) => {
  let broker: TestBroker;
  let internal: Application;
  let player: Player;
  /** What each process has in memory; a killed one still has it when it turns out to be alive after all. */
  let memory: Map<Name, Held>;
  let tokens: Map<Name, { playSessionId: string; clientId: string }>;

  before(async () => {
    const callers = new Map<string, GameServerCaller>();
    const serverTokens = new Map<string, string>();
    for (const [name, { serverId, podUid }] of Object.entries(SERVERS)) {
      serverTokens.set(name, randomBytes(16).toString('hex'));
      callers.set(serverTokens.get(name) as string, { namespace: 'games', podName: name, podUid, serverId });
    }
    broker = { ...testBroker(database(), undefined, { gameServers: staticTokens(callers) }), serverTokens };
    internal = await internalApplication(broker);
  });
  beforeEach(async () => {
    await clear();
  });
  after(async () => {
    await internal.close();
    broker.dispose();
  });

  const clear = async () => {
    for (const table of ['play_sessions', 'game_servers', 'server_orders', 'accounts']) await database().query(`delete from ${table}`);
    await settle(database());
    player = await makePlayer(broker);
    memory = new Map();
    tokens = new Map();
  };
  const written = (items: readonly string[]) => Buffer.from(JSON.stringify(items)).toString('base64');
  const connect = async (name: Name) => {
    const { serverId, podUid } = SERVERS[name];
    const reserved = await database().transaction((transaction) =>
      reserve(transaction, {
        accountId: player.accountId,
        characterId: player.characterId,
        serverId,
        podUid,
        tokenLifetimeSeconds: 35,
        capacity: 5,
      }),
    );
    assert.ok(reserved);
    tokens.set(name, { playSessionId: reserved.playSessionId, clientId: reserved.clientId.toString() });
  };
  const claim = async (name: Name) => {
    const { status, body } = await asServer(internal, broker, name, 'claims', tokens.get(name) as object);
    if (status !== 200) return { status, code: body.code as string };
    const { state, epoch } = body.character;
    const items = state === null ? [] : (JSON.parse(Buffer.from(state, 'base64').toString()) as string[]);
    memory.set(name, { playSessionId: body.playSessionId, epoch, items });
    return { status, epoch: BigInt(epoch) };
  };
  const save = async (name: Name) => {
    const { playSessionId, epoch, items } = memory.get(name) as Held;
    return (await asServer(internal, broker, name, 'saves', { playSessionId, epoch, state: written(items) })).status;
  };
  const release = async (name: Name, reason = 'handed-over') => {
    const { playSessionId, epoch, items } = memory.get(name) as Held;
    return (await asServer(internal, broker, name, 'releases', { playSessionId, epoch, state: written(items), reason })).status;
  };
  /** A report, and what a good server does with the answer. */
  const reports = async (name: Name) => {
    const held = memory.get(name);
    const { body } = await asServer(internal, broker, name, 'reports', report(held ? [held.playSessionId] : []));
    if (body.dropped.length > 0) memory.delete(name);
    else if (body.orders.some(({ kind }: { kind: string }) => kind === 'kick') && held) {
      await release(name);
      memory.delete(name);
    }
  };
  const silence = async (seconds: number) => {
    await database().query('update game_servers set reported_at = reported_at - make_interval(secs => $1)', [seconds]);
    await database().query('update play_sessions set claimed_at = claimed_at - make_interval(secs => $1)', [seconds]);
  };
  const stored = async (): Promise<string[]> => {
    const [row] = await database().query<{ state: Uint8Array | null }>('select state from characters where id = $1', [player.characterId]);
    return row?.state ? (JSON.parse(Buffer.from(row.state).toString()) as string[]) : [];
  };

  /** Into a dungeon, a sword gained there, and back. */
  const STEPS: readonly [what: string, step: () => Promise<unknown>][] = [
    ['the player connects to the world', () => connect('world')],
    ['the world claims', () => claim('world')],
    ['the world reports', () => reports('world')],
    ['the player connects to the dungeon', () => connect('dungeon')],
    ['the world hears the order and releases', () => reports('world')],
    ['the dungeon claims', () => claim('dungeon')],
    ['a sword is gained', async () => memory.get('dungeon')?.items.push('sword')],
    ['the dungeon saves', () => save('dungeon')],
    ['the player connects to the world again', () => connect('world')],
    ['the dungeon hears the order and releases', () => reports('dungeon')],
    ['the world claims again', () => claim('world')],
    ['the world saves', () => save('world')],
  ];
  const steps = (until: string) => STEPS.findIndex(([what]) => what === until) + 1;

  test('brings the sword home when nothing goes wrong', async () => {
    for (const [, step] of STEPS) await step();
    assert.deepEqual([await stored(), memory.get('world')?.items], [['sword'], ['sword']]);
  });

  for (let done = 1; done <= STEPS.length; done++) {
    for (const victim of ['world', 'dungeon'] as const) {
      test(`has the sword once when the ${victim} dies after: ${STEPS[done - 1]?.[0]}`, async () => {
        for (const [, step] of STEPS.slice(0, done)) await step();
        const zombie = memory.get(victim);
        memory.delete(victim);
        // 16 s without a word from the dead one; the other one is fine and does what it is told.
        await silence(16);
        const survivor = victim === 'world' ? 'dungeon' : 'world';
        await reports(survivor);
        const home = victim === 'world' ? 'world again' : 'world';
        await connect(home);
        await reports(survivor);
        assert.deepEqual((await claim(home)).status, 200);
        // A sword in the memory of a server that lives is released with the rest; in that of a dead one it is gone, unless it was saved.
        const swords = done >= steps(victim === 'world' ? 'a sword is gained' : 'the dungeon saves') ? ['sword'] : [];
        assert.deepEqual(memory.get(home)?.items, swords);
        // The dead one was only cut off: what it writes now must not count.
        if (zombie) {
          memory.set(victim, { ...zombie, items: ['sword', 'sword'] });
          assert.deepEqual([await save(victim), await release(victim)], [409, 409]);
        }
        assert.equal(await save(home), 204);
        assert.deepEqual(await stored(), swords);
      });
    }
  }

  test('keeps the place in the world for the way back', async () => {
    await connect('world');
    await claim('world');
    await connect('dungeon');
    await reports('world');
    await claim('dungeon');
    await database().query("update play_sessions set held_until = now() + interval '1 s' where state = 'held'");
    await expirePlaces(broker);
    assert.deepEqual(
      await database().query(
        "select server_id, state, coalesce(held_until > now() + interval '4 minutes', false) as kept from play_sessions where state <> 'ended' order by server_id",
      ),
      [
        { server_id: SERVERS.dungeon.serverId, state: 'active', kept: false },
        { server_id: SERVERS.world.serverId, state: 'held', kept: true },
      ],
    );
  });

  test('lets the place in the world go when its player is in no instance any more', async () => {
    await connect('world');
    await claim('world');
    await connect('dungeon');
    await reports('world');
    await claim('dungeon');
    await release('dungeon', 'logged-out');
    await database().query("update play_sessions set held_until = now() - interval '1 s' where state = 'held'");
    await expirePlaces(broker);
    assert.deepEqual(await database().query("select 1 from play_sessions where state <> 'ended'"), []);
  });

  describe('whatever servers and players do, in any order', () => {
    const names = Object.keys(SERVERS) as Name[];
    const command = fc.oneof(
      fc.record({ do: fc.constantFrom('connect', 'claim', 'save', 'release', 'reports'), on: fc.constantFrom(...names) }),
      fc.record({ do: fc.constantFrom('silence', 'expire'), on: fc.constant(names[0] as Name) }),
    );

    test('a write is accepted under the newest epoch only', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
          await clear();
          let newest = 0n;
          /** Sessions whose release was accepted: the same one again is answered the same and stores nothing. */
          const released = new Set<string>();
          for (const { do: what, on } of commands) {
            const held = memory.get(on);
            if (what === 'connect') await connect(on);
            else if (what === 'silence') await silence(16);
            else if (what === 'expire') await expirePlaces(broker);
            else if (what === 'claim' && tokens.has(on)) {
              const { epoch } = await claim(on);
              if (epoch !== undefined) {
                assert.equal(epoch, newest + 1n);
                newest = epoch;
              }
            } else if (what === 'save' && held) {
              if ((await save(on)) === 204) assert.equal(BigInt(held.epoch), newest);
            } else if (what === 'release' && held) {
              if ((await release(on)) === 204 && !released.has(held.playSessionId)) {
                assert.equal(BigInt(held.epoch), newest);
                released.add(held.playSessionId);
              }
            } else if (what === 'reports') {
              await reports(on);
              if (held && !memory.has(on)) released.add(held.playSessionId);
            }
          }
        }),
        { numRuns: 40 },
      );
    });
  });
});
