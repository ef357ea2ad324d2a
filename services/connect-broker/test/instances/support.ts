/**
 * A broker with players, instances and an Agones that does what a test says.
 * It deliberately has no Kubernetes API: that side is tested in test/discovery and in agones-allocator.test.ts.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { presentedAs } from '../../src/accounts/authenticate.ts';
import type { Database } from '../../src/database/database.ts';
import type { InstanceServer } from '../../src/discovery/view.ts';
import type { AllocationRequest, AllocationResult, Allocator } from '../../src/instances/allocator.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';

export interface FakeAgones extends Allocator {
  readonly requests: AllocationRequest[];
  readonly removed: { readonly name: string; readonly uid: string }[];
  /** What an allocation gives. @default unallocated */
  answer: (request: AllocationRequest) => AllocationResult | Promise<AllocationResult>;
  /** Thrown by removals. */
  broken: Error | undefined;
}

export function fakeAgones(): FakeAgones {
  const agones: FakeAgones = {
    requests: [],
    removed: [],
    answer: () => ({ state: 'unallocated' }),
    broken: undefined,
    allocate: async (request) => {
      agones.requests.push(request);
      return agones.answer(request);
    },
    remove: async (name, uid) => {
      if (agones.broken) throw agones.broken;
      agones.removed.push({ name, uid });
    },
  };
  return agones;
}

export interface World {
  readonly broker: TestBroker;
  readonly agones: FakeAgones;
}

export function worldOn(database: Database): World {
  const agones = fakeAgones();
  const instances = testSettings().instances.map((type) => ({ ...type, difficulties: ['normal', 'heroic'], lifetimeSeconds: 3_600 }));
  return { agones, broker: testBroker(database, testSettings({ instances }), { allocator: agones }) };
}

export interface Player {
  readonly accountId: string;
  readonly characterId: string;
  readonly headers: { readonly authorization: string };
}

/** An account with a character and a session of a game client. */
export async function player({ broker }: World): Promise<Player> {
  const { database, sessionKeys } = broker;
  const name = `player-${randomBytes(6).toString('hex')}`;
  const [account] = await database.query<{ id: string }>('insert into accounts (name, name_key) values ($1, $1) returning id', [name]);
  const [character] = await database.query<{ id: string }>(
    "insert into characters (account_id, name, name_key, realm, continent) values ($1, $2, $2, 'aurora', 'eldermoor') returning id",
    [account?.id, name],
  );
  const token = randomBytes(32).toString('base64url');
  await database.query(
    "insert into sessions (account_id, token_hash, kind, expires_at) values ($1, $2, 'bearer', now() + interval '1 day')",
    [account?.id, sessionKeys.candidates(presentedAs('bearer', token))[0]],
  );
  return { accountId: account?.id ?? '', characterId: character?.id ?? '', headers: { authorization: `Bearer ${token}` } };
}

/** A row of an instance, as old as its times say. */
export async function instanceRow({ broker }: World, values: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const row: Record<string, unknown> = { id: randomUUID(), content_type: 'dungeon', build: '0.4.2', ...values };
  const columns = Object.keys(row);
  await broker.database.query(
    `insert into instances (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
  return row.id as string;
}

export const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000);

export async function rowOf({ broker }: World, id: string): Promise<Record<string, unknown>> {
  const [row] = await broker.database.query('select * from instances where id = $1', [id]);
  if (!row) throw new Error(`There is no instance ${id}.`);
  return row;
}

/** A server as the view has it: allocated for the instance, and ready for its players unless the changes say otherwise. */
export function serverFor(instanceId: string | undefined, changes: Partial<InstanceServer> = {}): InstanceServer {
  const name = changes.name ?? `dungeon-${randomBytes(3).toString('hex')}`;
  return {
    name,
    uid: `uid-${name}`,
    contentType: 'dungeon',
    state: 'Allocated',
    instanceId,
    readyFor: instanceId,
    createdAt: Date.now() - 1_000_000,
    identity: {
      serverId: `instance:${name}`,
      podName: name,
      podUid: `pod-${name}`,
      namespace: 'instances',
      privateAddress: { address: '10.42.0.9', port: 7777 },
      lan: [{ address: '192.168.1.11', port: 7001 }],
      wan: [{ address: '203.0.113.7', port: 7001 }],
      keyGeneration: 1,
      protocolId: 0x4d4d4f0000000001n,
      build: '0.4.2',
    },
    ...changes,
  };
}

/** A place of a player on a server. */
export async function place(
  { broker }: World,
  { accountId, characterId }: Player,
  serverId: string,
  podUid: string,
  state = 'active',
): Promise<string> {
  const [row] = await broker.database.query<{ id: string }>(
    `insert into play_sessions (account_id, character_id, server_id, pod_uid, client_id, state, token_expires_at, claimed_at, created_at)
     values ($1, $2, $3, $4, $5, $6, now() + interval '30 s', now() - interval '10 min', now() - interval '10 min') returning id`,
    [accountId, characterId, serverId, podUid, randomBytes(8).readBigUInt64BE() >> 1n, state],
  );
  return row?.id ?? '';
}
