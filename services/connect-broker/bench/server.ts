/**
 * The process that bench/http.ts loads: a broker with many realms on a real PostgreSQL, and bare Fastify routes to compare it with, on ports of their own.
 * It deliberately is started by the bench only; it prints its ports as one line of JSON.
 */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { presentedAs } from '../src/accounts/authenticate.ts';
import { openPostgres } from '../src/database/postgres.ts';
import { makeLog } from '../src/log.ts';
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
bare.post('/round-trip', async () => ({ row: (await database.query('select 1 as one'))[0] }));
await bare.listen({ host: '127.0.0.1', port: 0 });

process.on('message', (message: { hash: string[] }) => {
  process.send?.({
    hashes: message.hash.map((token) => Buffer.from(broker.sessionKeys.hash(presentedAs('bearer', token))).toString('hex')),
  });
});
process.send?.({ broker: server.ports.http, bare: (bare.server.address() as AddressInfo).port, bytes: document.length });
process.on('disconnect', () => process.exit(0));
