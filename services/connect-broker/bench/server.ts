/**
 * The process that bench/http.ts loads: a broker with many realms on a real PostgreSQL, and bare Fastify routes to compare it with, on ports of their own.
 * It deliberately is started by the bench only; it prints its ports as one line of JSON.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { presentedAs } from '../src/accounts/authenticate.ts';
import { openPostgres } from '../src/database/postgres.ts';
import { makeLog } from '../src/log.ts';
import { freshClientId } from '../src/play/sessions.ts';
import { issueToken } from '../src/play/tokens.ts';
import { startServer } from '../src/server.ts';
import { testBroker, testSettings } from '../test/support/broker.ts';

const [port = '', user = '', name = '', realmCount = '1000'] = process.argv.slice(2);
const database = openPostgres({
  host: '127.0.0.1',
  port: Number(port),
  name,
  poolSize: 10,
  applicationName: 'bench',
  credentials: { username: user },
});
const realms = Array.from({ length: Number(realmCount) }, (_, index) => ({
  name: `realm-${index}`,
  title: `Realm ${index}`,
  namespace: `realm-realm-${index}`,
  continents: [
    {
      name: 'continent',
      title: 'Continent',
      capacity: 100_000,
      lan: { address: '192.168.1.245', port: 40_000 + index },
      public: { address: '203.0.113.7', port: 40_000 + index },
    },
  ],
}));
// No log lines of requests: the bare server writes none either. The session key must be the one that seeded sessions were hashed with.
const broker = testBroker(database, testSettings({ realms }), { log: makeLog('silent') });
const server = await startServer(broker, { host: '127.0.0.1', ports: { http: 0, internal: 0, metrics: 0 } });

const bare = Fastify();
const document = Buffer.from((await server.applications.http.inject('/v1/realms')).rawPayload);
bare.get('/realms', async (_request, reply) => reply.type('application/json').send(document));
await database.query('create table bench_plain (id bigint generated always as identity primary key, text text not null)');
bare.post('/write', async () => ({
  row: (await database.query("insert into bench_plain (text) values ('one row') returning id::text"))[0],
}));
// The least that a connect could be: who is it, one row out and one in, a token. No capacity, no queue, no bans, nothing checked.
await database.query('create table bench_places (like play_sessions including all)');
await database.query(`
  create function bench_least(candidates bytea[], place uuid, played_character uuid, client bigint) returns uuid language plpgsql
  set plan_cache_mode = force_generic_plan as $$
  declare account uuid;
  begin
    select account_id into account from session_account(candidates);
    perform set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(1, hashtext(account::text));
    update bench_places set state = 'ended', superseded_by = place, ended_at = now() where account_id = account and state <> 'ended';
    insert into bench_places (id, account_id, character_id, server_id, pod_uid, client_id, state, token_expires_at)
    values (place, account, played_character, 'world:x/y', 'pod', client, 'reserved', now() + interval '35 s');
    return account;
  end $$`);
const world = broker.view.world('realm-0', 'continent')?.identity;
const key = randomBytes(32);
bare.post<{ Body: { characterId: string } }>('/least', async (request, reply) => {
  const [id, clientId] = [randomUUID(), freshClientId()];
  const [row] = await database.query<{ account_id: string | null }>('select bench_least($1, $2, $3, $4) as account_id', [
    broker.sessionKeys.candidates(presentedAs('bearer', request.headers.authorization?.slice(7) ?? '')),
    id,
    request.body.characterId,
    clientId,
  ]);
  if (!row?.account_id || !world) return reply.status(401).send();
  const issued = issueToken(broker, world, {
    clientId,
    accountId: row.account_id,
    characterId: request.body.characterId,
    playSessionId: id,
    clientAddress: request.ip,
    key,
  });
  return { token: issued.token, clientId: issued.clientId, playSessionId: id, expiresAt: issued.expiresAt };
});
bare.post('/round-trip', async () => ({ row: (await database.query('select 1 as one'))[0] }));
await bare.listen({ host: '127.0.0.1', port: 0 });

process.on('message', (message: { hash: string[] }) => {
  process.send?.({
    hashes: message.hash.map((token) => Buffer.from(broker.sessionKeys.hash(presentedAs('bearer', token))).toString('hex')),
  });
});
process.send?.({ broker: server.ports.http, bare: (bare.server.address() as AddressInfo).port, bytes: document.length });
process.on('disconnect', () => process.exit(0));
