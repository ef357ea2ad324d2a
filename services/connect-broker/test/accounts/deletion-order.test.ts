/** A deletion of an account and whatever changes its places wait for one another in one order. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../../src/database/database.ts';
import { publicApplication } from '../../src/http/public.ts';
import { testBroker, testSettings } from '../support/broker.ts';
import { NO_POSTGRES, postgresDatabase, testPostgres } from '../support/databases.ts';
import { newPlayer, quickPasswords, send } from './support.ts';

describe('the deletion of an account', { skip: NO_POSTGRES }, () => {
  let fresh: Awaited<ReturnType<typeof postgresDatabase>>;
  let database: Database;
  before(async () => {
    const address = testPostgres();
    if (!address) assert.fail('there is no PostgreSQL');
    fresh = await postgresDatabase(address);
    database = fresh.open();
  });
  after(async () => {
    await database.close();
    await fresh.drop();
  });

  test('holds no row while it waits for a change of the account’s places', async () => {
    const broker = testBroker(database, testSettings(), { passwords: quickPasswords() });
    const application = await publicApplication(broker);
    const player = await newPlayer(application);
    let deleting: ReturnType<typeof send> | undefined;
    const free = await database.transaction(async (tx) => {
      await tx.query('select lock_account($1)', [player.accountId]);
      deleting = send(application, 'DELETE', '/v1/account', { token: player.token });
      await pause(300);
      // `key share` is what a new row that refers to the account takes.
      return tx.query('select id from accounts where id = $1 for key share skip locked', [player.accountId]);
    });
    const answer = await deleting;
    await application.close();
    broker.dispose();
    assert.deepEqual([free.length, answer?.status], [1, 204]);
  });
});
