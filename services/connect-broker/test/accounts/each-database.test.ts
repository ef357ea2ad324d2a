/** What accounts ask of the database is answered alike by both: the embedded one of a laptop and PostgreSQL. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeInvite } from '../../src/accounts/invites.ts';
import { cleanAccounts } from '../../src/accounts/tasks.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onEachDatabase } from '../support/databases.ts';
import { freshAddress, freshName, logIn, newPlayer, PASSWORD, quickPasswords, send } from './support.ts';

onEachDatabase('accounts', (database) => {
  let broker: TestBroker;
  let application: Application;
  before(async () => {
    broker = testBroker(database(), testSettings(), { passwords: quickPasswords() });
    application = await publicApplication(broker);
  });
  after(async () => {
    await application.close();
    broker.dispose();
  });

  test('an account is made and logs in', async () => {
    assert.equal((await logIn(application, await newPlayer(application))).status, 201);
  });

  test('a name is taken once', async () => {
    const { name } = await newPlayer(application);
    const answer = await send(application, 'POST', '/v1/accounts', { body: { name: name.toLowerCase(), password: PASSWORD } });
    assert.equal(answer.body.code, 'name-taken');
  });

  test('the sixth of ten failures at once is locked out', async () => {
    const from = freshAddress();
    const name = freshName();
    const answers = await Promise.all(Array.from({ length: 10 }, () => logIn(application, { name, password: 'wrong password' }, { from })));
    assert.equal(answers.filter(({ body }) => body.code === 'too-many-failures').length, 5);
  });

  test('a recovery code sets a new password', async () => {
    const player = await newPlayer(application);
    const body = { name: player.name, recoveryCode: player.recoveryCodes[0], newPassword: 'a completely new one' };
    assert.equal((await send(application, 'POST', '/v1/password-resets/recovery-codes', { body })).body.recoveryCodesLeft, 9);
  });

  test('an invitation is stored', async () => {
    assert.ok((await makeInvite(database(), { note: 'for a friend', uses: 2 })).expiresAt > new Date());
  });

  test('an export is made', async () => {
    const player = await newPlayer(application);
    const { body } = await send(application, 'GET', '/v1/account/export', { token: player.token });
    assert.equal(body.account.name, player.name);
  });

  test('an account is deleted', async () => {
    const { token } = await newPlayer(application);
    assert.equal((await send(application, 'DELETE', '/v1/account', { token })).status, 204);
  });

  test('what has run out is removed', async () => {
    await database().query(
      "insert into login_failures (account_key, address_key, failed_at) values ('x', 'y', now() - interval '2 hours')",
    );
    assert.ok((await cleanAccounts(database())) >= 1);
  });

  test('every route of accounts and of OpenID Connect is in the API document', async () => {
    const { paths } = (await send(application, 'GET', '/v1/openapi.json')).body;
    const documented = Object.entries(paths as Record<string, Record<string, { tags?: string[] }>>)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { tags }]) => [`${method.toUpperCase()} ${path}`, tags?.[0] ?? ''] as const),
      )
      .filter(([, tag]) => ['accounts', 'sessions', 'openid'].includes(tag))
      .map(([route]) => route);
    assert.deepEqual(documented.sort(), [
      'DELETE /v1/account',
      'DELETE /v1/account/identities/{identity}',
      'DELETE /v1/sessions',
      'DELETE /v1/sessions/current',
      'DELETE /v1/sessions/{session}',
      'GET /v1/account',
      'GET /v1/account/export',
      'GET /v1/account/identities',
      'GET /v1/openid',
      'GET /v1/openid/callback',
      'GET /v1/openid/pending',
      'GET /v1/registration',
      'GET /v1/sessions',
      'GET /v1/sessions/current',
      'POST /v1/account/password',
      'POST /v1/account/recovery-codes',
      'POST /v1/accounts',
      'POST /v1/email-confirmations',
      'POST /v1/openid/accounts',
      'POST /v1/openid/tokens',
      'POST /v1/openid/{provider}/flows',
      'POST /v1/password-resets',
      'POST /v1/password-resets/recovery-codes',
      'POST /v1/password-resets/requests',
      'POST /v1/sessions',
      'PUT /v1/account/email',
    ]);
  });
});
