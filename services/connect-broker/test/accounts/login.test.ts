/** Logging in: what it answers, to whom, how often it can be tried, and what of it is work. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { PasswordHasher } from '../../src/accounts/passwords.ts';
import { passwordHasher } from '../../src/accounts/passwords.ts';
import type { Database } from '../../src/database/database.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { Problem } from '../../src/problem.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { NO_POSTGRES, onDatabase, type PostgresAddress, postgresDatabase, testPostgres } from '../support/databases.ts';
import { freshAddress, freshName, logIn, loginCount, newPlayer, ORIGIN, quickPasswords, send } from './support.ts';

const WRONG = 'not the password';

/** Counts what is verified. */
function counted(hasher: PasswordHasher): PasswordHasher & { readonly verified: (string | undefined)[] } {
  const verified: (string | undefined)[] = [];
  return {
    ...hasher,
    verify: (hash, password) => {
      verified.push(hash);
      return hasher.verify(hash, password);
    },
    verified,
  };
}

onDatabase('log-in', (database) => {
  let broker: TestBroker;
  let application: Application;
  const passwords = counted(quickPasswords());
  before(async () => {
    broker = testBroker(database(), testSettings(), { passwords });
    application = await publicApplication(broker);
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });
  const wrong = (name: string, from: string) => logIn(application, { name, password: WRONG }, { from });
  const fail = async (name: string, from: string, times: number) => {
    for (let tries = 0; tries < times; tries++) await wrong(name, from);
  };
  /** Lets time pass for what was counted of an address. */
  const age = (addressKey: string, interval: string) =>
    database().query('update login_failures set failed_at = failed_at - $2::interval where address_key = $1', [addressKey, interval]);

  test('name and password open a session', async () => {
    const player = await newPlayer(application);
    const answer = await logIn(application, player);
    assert.deepEqual({ status: answer.status, account: answer.body.account.id }, { status: 201, account: player.accountId });
  });

  test('the name is found in another case', async () => {
    const player = await newPlayer(application);
    assert.equal((await logIn(application, { name: player.name.toUpperCase(), password: player.password })).status, 201);
  });

  test('a token is 256 bits that no other session has', async () => {
    const player = await newPlayer(application);
    const { token } = (await logIn(application, player)).body;
    assert.ok(Buffer.from(token, 'base64url').length === 32 && token !== player.token);
  });

  test('an account that does not exist is answered as a wrong password is', async () => {
    const player = await newPlayer(application);
    const comparable = ({ status, body, headers }: Awaited<ReturnType<typeof logIn>>) => ({
      status,
      body: { ...body, instance: '' },
      headers: Object.keys(headers).sort(),
    });
    assert.deepEqual(comparable(await wrong(freshName(), freshAddress())), comparable(await wrong(player.name, freshAddress())));
  });

  test('for an account that does not exist a hash is verified, too', async () => {
    const before = passwords.verified.length;
    await wrong(freshName(), freshAddress());
    assert.deepEqual(passwords.verified.slice(before), [undefined]);
  });

  test('an account without a password cannot be logged in to with any', async () => {
    const name = freshName();
    await database().query('insert into accounts (name, name_key) values ($1, lower($1))', [name]);
    assert.equal((await logIn(application, { name, password: WRONG })).body.code, 'wrong-credentials');
  });

  test('a name of ten thousand characters is refused before anything is hashed', async () => {
    const before = passwords.verified.length;
    const { status } = await logIn(application, { name: 'x'.repeat(10_000), password: WRONG });
    assert.deepEqual([status, passwords.verified.length - before], [422, 0]);
  });

  test('a name with a null character is refused', async () => {
    assert.equal((await logIn(application, { name: 'a\0b', password: WRONG })).status, 422);
  });

  test('a name that ends in half a character is answered like any other', async () => {
    assert.equal((await logIn(application, { name: 'half\ud800', password: WRONG })).body.code, 'wrong-credentials');
  });

  test('a banned account is told so only with the right password', async () => {
    const player = await newPlayer(application);
    await database().query("insert into bans (account_id, reason) values ($1, 'cheating')", [player.accountId]);
    const answers = [await wrong(player.name, freshAddress()), await logIn(application, player)];
    assert.deepEqual(
      answers.map(({ body }) => body.code),
      ['wrong-credentials', 'banned'],
    );
  });

  test('an address that is banned cannot log in', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    await database().query("insert into bans (network, reason) values ($1::cidr, 'attack')", [from]);
    assert.equal((await logIn(application, player, { from })).body.code, 'banned');
  });

  test('an address that a proxy made up does no harm', async () => {
    const player = await newPlayer(application);
    assert.equal((await logIn(application, player, { from: "1.2.3.4'; drop table bans" })).status, 201);
  });

  test('the sixth failure in a minute is not tried any more', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    await fail(player.name, from, 5);
    const before = passwords.verified.length;
    const { body } = await logIn(application, player, { from });
    assert.deepEqual([body.code, passwords.verified.length - before], ['too-many-failures', 0]);
  });

  test('whoever is locked out is told for how long', async () => {
    const from = freshAddress();
    const name = freshName();
    await fail(name, from, 5);
    const seconds = Number((await wrong(name, from)).headers['retry-after']);
    assert.ok(seconds > 50 && seconds <= 60, `${seconds}`);
  });

  test('a minute later it is tried again', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    await fail(player.name, from, 5);
    await age(from, '61 s');
    assert.equal((await logIn(application, player, { from })).status, 201);
  });

  test('ten failures lock for ten minutes', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    await fail(player.name, from, 5);
    await age(from, '61 s');
    await fail(player.name, from, 5);
    await age(from, '61 s');
    const { body, headers } = await logIn(application, player, { from });
    assert.ok(body.code === 'too-many-failures' && Number(headers['retry-after']) > 400, JSON.stringify(body));
  });

  test('a name that no account has is locked in the same way', async () => {
    const from = freshAddress();
    const name = freshName();
    await fail(name, from, 5);
    assert.equal((await wrong(name, from)).body.code, 'too-many-failures');
  });

  test('another spelling of the name is the same account', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    await fail(player.name, from, 3);
    await fail(player.name.toUpperCase(), from, 2);
    assert.equal((await wrong(player.name, from)).body.code, 'too-many-failures');
  });

  test('a right password forgives what was wrong before', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    await fail(player.name, from, 4);
    await logIn(application, player, { from });
    await fail(player.name, from, 4);
    assert.equal((await logIn(application, player, { from })).status, 201);
  });

  test('what somebody writes before the address of the proxy is not counted as his address', async () => {
    const player = await newPlayer(application);
    const from = freshAddress();
    for (let tries = 0; tries < 5; tries++) await wrong(player.name, `203.0.113.${tries}, ${from}`);
    assert.equal((await wrong(player.name, `203.0.113.77, ${from}`)).body.code, 'too-many-failures');
  });

  test('addresses of one IPv6 network of /64 are one', async () => {
    const player = await newPlayer(application);
    for (let tries = 0; tries < 5; tries++) await wrong(player.name, `2001:db8:77:1::${tries}`);
    assert.equal((await wrong(player.name, '2001:db8:77:1:ffff::1')).body.code, 'too-many-failures');
  });

  test('an address that fails with fifty names is stopped', async () => {
    const from = freshAddress();
    for (let tries = 0; tries < 50; tries++) await wrong(freshName(), from);
    assert.equal((await wrong(freshName(), from)).body.code, 'too-many-requests');
  });

  test('an address that fails with fifty names does not stop an account that is known there', async () => {
    const player = await newPlayer(application);
    for (let tries = 0; tries < 50; tries++) await wrong(freshName(), player.address);
    assert.equal((await logIn(application, player, { from: player.address })).status, 201);
  });

  test('an account that fails from twenty addresses makes a stranger wait', async () => {
    const player = await newPlayer(application);
    for (let tries = 0; tries < 20; tries++) await wrong(player.name, freshAddress());
    assert.equal((await logIn(application, player)).body.code, 'too-many-failures');
  });

  test('an account that fails from twenty addresses lets its owner in where it was before', async () => {
    const player = await newPlayer(application);
    for (let tries = 0; tries < 20; tries++) await wrong(player.name, freshAddress());
    assert.equal((await logIn(application, player, { from: player.address })).status, 201);
  });

  test('the wait of an account under attack grows, to a minute and no further', async () => {
    const player = await newPlayer(application);
    for (let tries = 0; tries < 20; tries++) await wrong(player.name, freshAddress());
    const [mine] = await database().query<{ account_key: string }>('select account_key from login_failures order by id desc limit 1');
    const waits: number[] = [];
    for (let tries = 0; tries < 8; tries++) {
      waits.push(Number((await wrong(player.name, freshAddress())).headers['retry-after']));
      await database().query("update login_failures set failed_at = failed_at - interval '61 s' where account_key = $1", [
        mine?.account_key,
      ]);
      await wrong(player.name, freshAddress());
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test('when too many passwords wait, nothing is counted against the player', async () => {
    const full = testBroker(database(), testSettings(), {
      passwords: {
        ...passwords,
        verify: async () => {
          throw new Problem('unavailable', 'full', { retryAfterSeconds: 5 });
        },
      },
    });
    const busy = await publicApplication(full);
    const player = await newPlayer(application);
    const from = freshAddress();
    for (let tries = 0; tries < 6; tries++) await logIn(busy, player, { from });
    await busy.close();
    full.dispose();
    assert.equal((await logIn(application, player, { from })).status, 201);
  });

  test('a password of an earlier cost is hashed anew at the next log-in', async () => {
    const player = await newPlayer(application);
    const costly = testBroker(database(), testSettings(), {
      passwords: passwordHasher({ cost: { memoryCost: 2048, timeCost: 2, parallelism: 1 } }),
    });
    const other = await publicApplication(costly);
    await logIn(other, player);
    await other.close();
    costly.dispose();
    const [row] = await database().query<{ password_hash: string }>('select password_hash from accounts where id = $1', [player.accountId]);
    assert.match(row?.password_hash ?? '', /m=2048,t=2,p=1/);
  });

  test('a password that was hashed anew still logs in', async () => {
    const player = await newPlayer(application);
    await database().query('update accounts set password_hash = $2 where id = $1', [
      player.accountId,
      await passwordHasher({ cost: { memoryCost: 2048, timeCost: 3, parallelism: 1 } }).hash(player.password),
    ]);
    await logIn(application, player);
    assert.equal((await logIn(application, player)).status, 201);
  });

  for (const [result, act] of [
    ['ok', async (player) => logIn(application, player)],
    ['wrong-credentials', async (player) => wrong(player.name, freshAddress())],
    [
      'locked',
      async (player) => {
        const from = freshAddress();
        await fail(player.name, from, 5);
        return wrong(player.name, from);
      },
    ],
    [
      'banned',
      async (player) => {
        await database().query("insert into bans (account_id, reason) values ($1, 'x')", [player.accountId]);
        return logIn(application, player);
      },
    ],
  ] as const satisfies readonly (readonly [string, (player: Awaited<ReturnType<typeof newPlayer>>) => Promise<unknown>])[]) {
    test(`the metric counts '${result}'`, async () => {
      const player = await newPlayer(application);
      const before = await loginCount(broker.metrics, result);
      await act(player);
      assert.equal((await loginCount(broker.metrics, result)) - before, 1);
    });
  }

  test('a page cannot be logged in by another site', async () => {
    const player = await newPlayer(application);
    for (const origin of ['https://evil.example', 'null', 'https://mmo.example.org.evil.example', 'http://mmo.example.org']) {
      const answer = await logIn(application, { ...player, kind: 'cookie' }, { headers: { origin } });
      assert.equal(answer.body.code, 'wrong-origin', origin);
    }
  });

  test('a page cannot be logged in without an origin', async () => {
    const player = await newPlayer(application);
    assert.equal((await logIn(application, { ...player, kind: 'cookie' })).body.code, 'wrong-origin');
  });

  test('a form of another site is no log-in', async () => {
    const player = await newPlayer(application);
    const answer = await send(application, 'POST', '/v1/sessions', {
      body: `name=${player.name}&password=${encodeURIComponent(player.password)}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: ORIGIN },
    });
    assert.equal(answer.status, 415);
  });

  test('passwords and names are in no log', async () => {
    const player = await newPlayer(application);
    await logIn(application, player);
    await wrong(player.name, freshAddress());
    const lines = JSON.stringify(broker.logged);
    assert.deepEqual(
      [player.name, player.password, WRONG].filter((secret) => lines.includes(secret)),
      [],
    );
  });
});

describe('log-in through two replicas at once', { skip: NO_POSTGRES }, () => {
  let fresh: Awaited<ReturnType<typeof postgresDatabase>>;
  const opened: { database: Database; broker: TestBroker; application: Application }[] = [];
  const passwords = counted(quickPasswords());
  before(async () => {
    fresh = await postgresDatabase(testPostgres() as PostgresAddress);
    for (let replica = 0; replica < 2; replica++) {
      const database = fresh.open();
      const broker = testBroker(database, testSettings(), { passwords });
      opened.push({ database, broker, application: await publicApplication(broker) });
    }
    // Replicas share their keys.
    const [first, second] = opened;
    Object.assign(second?.broker.sessionKeys ?? {}, {
      hash: first?.broker.sessionKeys.hash,
      candidates: first?.broker.sessionKeys.candidates,
    });
  });
  after(async () => {
    for (const { application, broker, database } of opened) {
      await application.close();
      broker.dispose();
      await database.close();
    }
    await fresh.drop();
  });
  const replica = (index: number) => opened[index % 2]?.application as Application;
  const storm = async (name: string, times: number, from: (index: number) => string) => {
    const before = passwords.verified.length;
    const answers = await Promise.all(
      Array.from({ length: times }, (_, index) => logIn(replica(index), { name, password: WRONG }, { from: from(index) })),
    );
    return { verified: passwords.verified.length - before, codes: answers.map(({ body }) => body.code) };
  };

  test('50 wrong passwords at once from one address are verified five times', async () => {
    const { name } = await newPlayer(replica(0));
    const from = freshAddress();
    assert.equal((await storm(name, 50, () => from)).verified, 5);
  });

  test('50 wrong passwords at once from 50 addresses are verified twenty times', async () => {
    const { name } = await newPlayer(replica(0));
    assert.equal((await storm(name, 50, freshAddress)).verified, 20);
  });

  test('none of them is answered by an error of the server', async () => {
    const { name } = await newPlayer(replica(0));
    const { codes } = await storm(name, 50, freshAddress);
    assert.deepEqual([...new Set(codes)].sort(), ['too-many-failures', 'wrong-credentials']);
  });

  test('a session of one replica is one of the other', async () => {
    const player = await newPlayer(replica(0));
    assert.equal((await send(replica(1), 'GET', '/v1/account', { token: player.token })).status, 200);
  });
});
