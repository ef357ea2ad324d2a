/** Logging in through a real issuer: from the page, from a game client, to new and to known accounts, and what an attacker may try. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeInvite } from '../../src/accounts/invites.ts';
import type { Application } from '../../src/http/application.ts';
import { publicApplication } from '../../src/http/public.ts';
import {
  type Answer,
  freshAddress,
  freshName,
  logIn,
  loginCount,
  newPlayer,
  ORIGIN,
  PASSWORD,
  type Player,
  quickPasswords,
  send,
} from '../accounts/support.ts';
import { type TestBroker, testBroker, testSettings } from '../support/broker.ts';
import { onDatabase } from '../support/databases.ts';
import { freePort } from '../support/postgres.ts';
import { type Issuer, startIssuer } from './issuer.ts';

const CALLBACK = `${ORIGIN}/v1/openid/callback`;
const LOOPBACK = 'http://127.0.0.1:53412/done?state=mine';
const FLOW = '__Host-openid-flow';
const TICKET = '__Host-openid-ticket';
const SESSION = '__Host-session';

onDatabase('OpenID Connect', (database) => {
  let issuer: Issuer;
  let other: Issuer;
  const brokers: TestBroker[] = [];
  let application: Application;
  let replica: Application;
  let closed: Application;
  let invite: Application;
  let deadPort: number;
  const directory = mkdtempSync(path.join(os.tmpdir(), 'broker-openid-'));
  const open = async (changes: Record<string, unknown> = {}) => {
    const clientSecretFile = path.join(directory, 'client-secret');
    writeFileSync(clientSecretFile, `${issuer.clientSecret}\n`);
    const otherSecretFile = path.join(directory, 'other-secret');
    writeFileSync(otherSecretFile, other.clientSecret);
    const settings = testSettings({
      openId: [
        { name: 'home', title: 'Home', issuer: issuer.url, clientId: issuer.clientId, clientSecretFile },
        { name: 'other', title: 'Other', issuer: other.url, clientId: other.clientId, clientSecretFile: otherSecretFile },
        { name: 'dead', title: 'Dead', issuer: `http://127.0.0.1:${deadPort}`, clientId: 'x' },
      ],
      ...changes,
    });
    const broker = testBroker(database(), settings, { passwords: quickPasswords() });
    brokers.push(broker);
    return publicApplication(broker);
  };
  before(async () => {
    deadPort = await freePort();
    issuer = await startIssuer(CALLBACK);
    other = await startIssuer(CALLBACK);
    application = await open();
    replica = await open();
    closed = await open({ registration: 'closed' });
    invite = await open({ registration: 'invite' });
    // Replicas share their keys.
    const [first, second] = brokers;
    Object.assign(second?.sessionKeys ?? {}, { hash: first?.sessionKeys.hash, candidates: first?.sessionKeys.candidates });
  });
  after(async () => {
    for (const each of [application, replica, closed, invite]) await each?.close();
    for (const broker of brokers) broker.dispose();
    await issuer?.close();
    await other?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const value = (answer: Answer, name: string) => answer.cookies.find((cookie) => cookie.name === name)?.value;
  const somebody = (username = 'Some Body') => {
    issuer.subject = randomBytes(8).toString('hex');
    issuer.username = username;
    return issuer.subject;
  };
  const begin = (body: object, options: Parameters<typeof send>[3] = {}, where = application, provider = 'home') =>
    send(where, 'POST', `/v1/openid/${provider}/flows`, { headers: { origin: ORIGIN }, ...options, body });
  const back = (url: string, cookies: Record<string, string> = {}, where = application) =>
    send(where, 'GET', url.slice(ORIGIN.length), { cookies, headers: { 'sec-fetch-site': 'cross-site' } });
  /** A whole flow of the page, to the answer of the callback. */
  const throughPage = async ({ purpose = 'login', returnTo = '/', cookies = {} as Record<string, string>, where = application } = {}) => {
    const started = await begin({ purpose, client: { kind: 'page', returnTo } }, { cookies }, where);
    assert.equal(started.status, 201, JSON.stringify(started.body));
    const url = await issuer.authorize(started.body.authorizationUrl);
    return back(url, { ...cookies, [FLOW]: value(started, FLOW) ?? '' }, where);
  };
  const pkce = () => {
    const verifier = randomBytes(32).toString('base64url');
    return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
  };
  /** A flow of a game client, to the loopback address. */
  const toLoopback = async (
    challenge: string,
    { purpose = 'login', token, where = application }: { purpose?: string; token?: string; where?: Application } = {},
  ) => {
    const started = await begin(
      { purpose, client: { kind: 'native', redirectUri: LOOPBACK, codeChallenge: challenge } },
      { headers: {}, ...(token === undefined ? {} : { token }) },
      where,
    );
    assert.equal(started.status, 201, JSON.stringify(started.body));
    const answer = await back(await issuer.authorize(started.body.authorizationUrl), {}, where);
    return new URL(String(answer.headers.location));
  };
  const exchange = (code: string, codeVerifier: string, where = application) =>
    send(where, 'POST', '/v1/openid/tokens', { body: { code, codeVerifier } });
  const throughClient = async (options: Parameters<typeof toLoopback>[1] = {}) => {
    const { verifier, challenge } = pkce();
    const url = await toLoopback(challenge, options);
    return exchange(url.searchParams.get('code') ?? '', verifier, options.where);
  };
  /** An account that logs in as the present subject. */
  const linkedPlayer = async (): Promise<Player> => {
    const player = await newPlayer(application);
    await database().query('insert into identities (issuer, subject, account_id) values ($1, $2, $3)', [
      issuer.url,
      issuer.subject,
      player.accountId,
    ]);
    return player;
  };
  const pageSession = async (player: Player) => {
    const answer = await logIn(application, { ...player, kind: 'cookie' }, { headers: { origin: ORIGIN } });
    return { [SESSION]: value(answer, SESSION) ?? '' };
  };
  const identitiesOf = async (player: Player) =>
    (await send(application, 'GET', '/v1/account/identities', { token: player.token })).body.identities as {
      id: string;
      provider: { name: string };
      title: string;
    }[];

  test('the providers are listed without their secrets', async () => {
    assert.deepEqual((await send(application, 'GET', '/v1/openid')).body, {
      providers: [
        { name: 'home', title: 'Home' },
        { name: 'other', title: 'Other' },
        { name: 'dead', title: 'Dead' },
      ],
    });
  });

  test('a known identity logs the page in', async () => {
    somebody();
    const { accountId } = await linkedPlayer();
    const answer = await throughPage();
    const me = await send(application, 'GET', '/v1/account', { cookies: { [SESSION]: value(answer, SESSION) ?? '' } });
    assert.equal(me.body.id, accountId);
  });

  test('the page comes back to where it was', async () => {
    somebody();
    await linkedPlayer();
    assert.equal((await throughPage({ returnTo: '/realms?sort=name' })).headers.location, `${ORIGIN}/realms?sort=name#openid=logged-in`);
  });

  test('another replica can finish what one has begun', async () => {
    somebody();
    await linkedPlayer();
    const started = await begin({ client: { kind: 'page' } });
    const answer = await back(await issuer.authorize(started.body.authorizationUrl), { [FLOW]: value(started, FLOW) ?? '' }, replica);
    assert.equal(answer.headers.location, `${ORIGIN}/#openid=logged-in`);
  });

  test('a log-in is counted', async () => {
    somebody();
    await linkedPlayer();
    const metrics = brokers[0]?.metrics as TestBroker['metrics'];
    const before = await loginCount(metrics, 'ok');
    await throughPage();
    assert.equal((await loginCount(metrics, 'ok')) - before, 1);
  });

  test('an unknown identity is asked for a name, and has no session yet', async () => {
    somebody();
    const answer = await throughPage();
    assert.deepEqual([answer.headers.location, value(answer, SESSION)], [`${ORIGIN}/#openid=choose-name`, undefined]);
  });

  test('the page learns whose name it asks for', async () => {
    somebody('Grace Hopper');
    const ticket = value(await throughPage(), TICKET) ?? '';
    const { expiresAt, ...body } = (await send(application, 'GET', '/v1/openid/pending', { cookies: { [TICKET]: ticket } })).body;
    assert.deepEqual(body, { title: 'Grace Hopper', provider: 'Home', suggestedName: 'GraceHopper', inviteNeeded: false });
  });

  test('a name makes an account, with a session and recovery codes', async () => {
    somebody();
    const ticket = value(await throughPage(), TICKET) ?? '';
    const name = freshName();
    const answer = await send(application, 'POST', '/v1/openid/accounts', {
      body: { name, kind: 'cookie' },
      cookies: { [TICKET]: ticket },
      headers: { origin: ORIGIN },
    });
    assert.deepEqual(
      [answer.status, answer.body.account.name, answer.body.recoveryCodes.length, (value(answer, SESSION) ?? '').length],
      [201, name, 10, 43],
    );
  });

  test('another site cannot name an account for its visitors', async () => {
    somebody();
    const ticket = value(await throughPage(), TICKET) ?? '';
    const answer = await send(application, 'POST', '/v1/openid/accounts', {
      body: { name: freshName() },
      cookies: { [TICKET]: ticket },
      headers: { origin: 'https://evil.example' },
    });
    assert.equal(answer.body.code, 'wrong-origin');
  });

  test('a name that is taken leaves the ticket for another name', async () => {
    somebody();
    const { name } = await newPlayer(application);
    const { ticket } = (await throughClient()).body;
    const make = (chosen: string) => send(application, 'POST', '/v1/openid/accounts', { body: { ticket, name: chosen } });
    assert.deepEqual([(await make(name)).body.code, (await make(freshName())).status], ['name-taken', 201]);
  });

  test('a ticket makes one account, also for many at once', async () => {
    somebody();
    const { ticket } = (await throughClient()).body;
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => send(application, 'POST', '/v1/openid/accounts', { body: { ticket, name: freshName() } })),
    );
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
  });

  test('two tickets of one identity make one account', async () => {
    somebody();
    const tickets = [(await throughClient()).body.ticket, (await throughClient()).body.ticket];
    const answers = await Promise.all(
      tickets.map((ticket) => send(application, 'POST', '/v1/openid/accounts', { body: { ticket, name: freshName() } })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409]);
  });

  test('a ticket that has ended makes no account', async () => {
    const subject = somebody();
    const { ticket } = (await throughClient()).body;
    await database().query('update openid_tickets set expires_at = now() where subject = $1', [subject]);
    assert.equal(
      (await send(application, 'POST', '/v1/openid/accounts', { body: { ticket, name: freshName() } })).body.code,
      'wrong-credentials',
    );
  });

  test('where registration is closed an unknown identity gets nothing', async () => {
    somebody();
    const answer = await throughPage({ where: closed });
    assert.deepEqual(
      [answer.headers.location, answer.cookies.map(({ name }) => name).filter((name) => name !== FLOW)],
      [`${ORIGIN}/#openid=failed&reason=registration-closed`, []],
    );
  });

  test('where an invitation is needed an identity needs one, too', async () => {
    somebody();
    const { body } = await throughClient({ where: invite });
    const { code } = await makeInvite(database());
    const make = (members: object) =>
      send(invite, 'POST', '/v1/openid/accounts', { body: { ticket: body.ticket, name: freshName(), ...members } });
    assert.deepEqual([body.inviteNeeded, (await make({})).body.code, (await make({ invite: code })).status], [true, 'invite-invalid', 201]);
  });

  test('a banned account does not come in through an issuer', async () => {
    somebody();
    const player = await linkedPlayer();
    await database().query("insert into bans (account_id, reason) values ($1, 'cheating')", [player.accountId]);
    const answer = await throughPage();
    assert.deepEqual([answer.headers.location, value(answer, SESSION)], [`${ORIGIN}/#openid=failed&reason=banned`, undefined]);
  });

  test('an e-mail address of the issuer links nothing', async () => {
    const player = await newPlayer(application);
    await database().query('update accounts set email = $2, email_confirmed_at = now() where id = $1', [
      player.accountId,
      'same@example.org',
    ]);
    somebody('same@example.org');
    assert.equal((await throughClient()).body.result, 'name-needed');
  });

  test('the same subject of another issuer is somebody else', async () => {
    somebody();
    await linkedPlayer();
    other.subject = issuer.subject;
    const started = await begin({ client: { kind: 'page' } }, {}, application, 'other');
    const answer = await back(await other.authorize(started.body.authorizationUrl), { [FLOW]: value(started, FLOW) ?? '' });
    assert.equal(answer.headers.location, `${ORIGIN}/#openid=choose-name`);
  });

  test('a page that is logged in links an identity', async () => {
    somebody('Ada at home');
    const player = await newPlayer(application);
    await throughPage({ purpose: 'link', cookies: await pageSession(player) });
    assert.deepEqual(
      (await identitiesOf(player)).map(({ provider, title }) => [provider.name, title]),
      [['home', 'Ada at home']],
    );
  });

  test('a game client that is logged in links an identity', async () => {
    somebody();
    const player = await newPlayer(application);
    const { body } = await throughClient({ purpose: 'link', token: player.token });
    assert.deepEqual([body.result, (await identitiesOf(player)).length], ['linked', 1]);
  });

  test('nobody links without a session', async () => {
    assert.equal((await begin({ purpose: 'link', client: { kind: 'page' } })).body.code, 'not-logged-in');
  });

  test('an identity of another account is not taken from it', async () => {
    somebody();
    const owner = await linkedPlayer();
    const thief = await newPlayer(application);
    const answer = await throughPage({ purpose: 'link', cookies: await pageSession(thief) });
    assert.deepEqual(
      [answer.headers.location, (await identitiesOf(owner)).length, (await identitiesOf(thief)).length],
      [`${ORIGIN}/#openid=failed&reason=conflict`, 1, 0],
    );
  });

  test('a link ends with the session that began it', async () => {
    somebody();
    const player = await newPlayer(application);
    const cookies = await pageSession(player);
    const started = await begin({ purpose: 'link', client: { kind: 'page' } }, { cookies });
    const url = await issuer.authorize(started.body.authorizationUrl);
    await send(application, 'DELETE', '/v1/sessions', { token: player.token });
    const answer = await back(url, { ...cookies, [FLOW]: value(started, FLOW) ?? '' });
    assert.equal(answer.headers.location, `${ORIGIN}/#openid=failed&reason=expired`);
  });

  test('an identity is unlinked where a password is left', async () => {
    somebody();
    const player = await linkedPlayer();
    const [identity] = await identitiesOf(player);
    const { status } = await send(application, 'DELETE', `/v1/account/identities/${identity?.id}`, { token: player.token });
    assert.deepEqual([status, (await identitiesOf(player)).length], [204, 0]);
  });

  for (const [what, attack] of [
    [
      'links no identity',
      (token: string) =>
        begin(
          { purpose: 'link', client: { kind: 'native', redirectUri: LOOPBACK, codeChallenge: 'a'.repeat(43) } },
          { token, headers: {} },
        ),
    ],
    ['unlinks none', async (token: string) => send(application, 'DELETE', `/v1/account/identities/${crypto.randomUUID()}`, { token })],
  ] as const) {
    test(`a session that is not fresh ${what} without the password`, async () => {
      const player = await newPlayer(application);
      await database().query("update sessions set created_at = now() - interval '1 hour' where account_id = $1", [player.accountId]);
      assert.equal((await attack(player.token)).body.code, 'fresh-login-needed');
    });
  }

  test('the last way to log in is not unlinked', async () => {
    somebody();
    const player = await linkedPlayer();
    await database().query('update accounts set password_hash = null where id = $1', [player.accountId]);
    const [identity] = await identitiesOf(player);
    const { body } = await send(application, 'DELETE', `/v1/account/identities/${identity?.id}`, { token: player.token });
    assert.deepEqual([body.code, (await identitiesOf(player)).length], ['conflict', 1]);
  });

  test('of the last two ways, unlinked at once, one is left', async () => {
    somebody();
    const player = await linkedPlayer();
    somebody();
    await database().query('insert into identities (issuer, subject, account_id) values ($1, $2, $3)', [
      issuer.url,
      issuer.subject,
      player.accountId,
    ]);
    await database().query('update accounts set password_hash = null where id = $1', [player.accountId]);
    const both = await identitiesOf(player);
    await Promise.all(both.map(({ id }) => send(application, 'DELETE', `/v1/account/identities/${id}`, { token: player.token })));
    assert.equal((await identitiesOf(player)).length, 1);
  });

  test('an identity of another account cannot be unlinked', async () => {
    somebody();
    const owner = await linkedPlayer();
    const [identity] = await identitiesOf(owner);
    const stranger = await newPlayer(application);
    assert.equal((await send(application, 'DELETE', `/v1/account/identities/${identity?.id}`, { token: stranger.token })).status, 404);
  });

  test('a game client gets its code at its own address, with its own query', async () => {
    somebody();
    const url = await toLoopback(pkce().challenge);
    assert.deepEqual(
      [url.origin, url.pathname, url.searchParams.get('state'), url.searchParams.get('code')?.length],
      ['http://127.0.0.1:53412', '/done', 'mine', 43],
    );
  });

  test('a game client exchanges its code for a bearer session', async () => {
    somebody();
    const player = await linkedPlayer();
    const { body } = await throughClient();
    assert.equal((await send(application, 'GET', '/v1/account', { token: body.token })).body.id, player.accountId);
  });

  test('a code is exchanged once', async () => {
    somebody();
    await linkedPlayer();
    const { verifier, challenge } = pkce();
    const code = (await toLoopback(challenge)).searchParams.get('code') ?? '';
    assert.deepEqual([(await exchange(code, verifier)).status, (await exchange(code, verifier)).status], [200, 401]);
  });

  test('a code without its verifier is worth nothing, and is used up', async () => {
    somebody();
    await linkedPlayer();
    const { verifier, challenge } = pkce();
    const code = (await toLoopback(challenge)).searchParams.get('code') ?? '';
    assert.deepEqual([(await exchange(code, pkce().verifier)).status, (await exchange(code, verifier)).status], [401, 401]);
  });

  test('a link is not made before its code is exchanged, so that nobody links by a URL that he was sent', async () => {
    const attacker = await newPlayer(application);
    somebody();
    await toLoopback(pkce().challenge, { purpose: 'link', token: attacker.token });
    assert.equal((await identitiesOf(attacker)).length, 0);
  });

  test('a ticket for a name is no code of a game client', async () => {
    somebody();
    const { ticket } = (await throughClient()).body;
    assert.equal((await exchange(ticket, pkce().verifier)).status, 401);
  });

  for (const redirectUri of [
    'http://evil.example:80/',
    'http://localhost:53412/',
    'https://127.0.0.1:53412/',
    'http://127.0.0.1/',
    'http://127.0.0.1:53412/#fragment',
    'http://user@127.0.0.1:53412/',
    'http://127.0.0.1:53412@evil.example/',
    'http://127.0.0.1.evil.example:53412/',
    'http://127.0.0.1:99999/',
    'javascript:alert(1)',
  ]) {
    test(`${redirectUri} is no loopback address`, async () => {
      assert.equal((await begin({ client: { kind: 'native', redirectUri, codeChallenge: pkce().challenge } })).status, 422);
    });
  }

  test('the loopback address of IPv6 is one', async () => {
    const client = { kind: 'native', redirectUri: 'http://[::1]:53412/', codeChallenge: pkce().challenge };
    assert.equal((await begin({ client })).status, 201);
  });

  for (const returnTo of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '\\\\evil.example',
    'javascript:alert(1)',
    '/#openid=logged-in',
    '/@evil.example:80/',
    '',
  ]) {
    test(`the page is not sent to ${JSON.stringify(returnTo)}`, async () => {
      assert.equal((await begin({ client: { kind: 'page', returnTo } })).status, 422);
    });
  }

  test('another site cannot begin a log-in of the page', async () => {
    assert.equal((await begin({ client: { kind: 'page' } }, { headers: { origin: 'https://evil.example' } })).body.code, 'wrong-origin');
  });

  test('a callback in another browser than the one that began logs nobody in', async () => {
    somebody();
    await linkedPlayer();
    const started = await begin({ client: { kind: 'page' } });
    const answer = await back(await issuer.authorize(started.body.authorizationUrl));
    assert.deepEqual([answer.headers.location, value(answer, SESSION)], [`${ORIGIN}/#openid=failed&reason=expired`, undefined]);
  });

  test('a callback is used once', async () => {
    somebody();
    await linkedPlayer();
    const started = await begin({ client: { kind: 'page' } });
    const cookies = { [FLOW]: value(started, FLOW) ?? '' };
    const url = await issuer.authorize(started.body.authorizationUrl);
    const locations = [(await back(url, cookies)).headers.location, (await back(url, cookies)).headers.location];
    assert.deepEqual(locations, [`${ORIGIN}/#openid=logged-in`, `${ORIGIN}/#openid=failed&reason=expired`]);
  });

  test('a code of one flow is refused in another', async () => {
    somebody();
    await linkedPlayer();
    const [mine, theirs] = [await begin({ client: { kind: 'page' } }), await begin({ client: { kind: 'page' } })];
    const url = new URL(await issuer.authorize(mine.body.authorizationUrl));
    const state = new URL(theirs.body.authorizationUrl).searchParams.get('state') ?? '';
    url.searchParams.set('state', state);
    const answer = await back(url.href, { [FLOW]: value(theirs, FLOW) ?? '' });
    assert.equal(answer.headers.location, `${ORIGIN}/#openid=failed&reason=failed`);
  });

  test('an ID token for another nonce is refused', async () => {
    somebody();
    await linkedPlayer();
    const started = await begin({ client: { kind: 'page' } });
    const url = await issuer.authorize(started.body.authorizationUrl);
    await database().query("update openid_flows set nonce = 'another'");
    const answer = await back(url, { [FLOW]: value(started, FLOW) ?? '' });
    assert.deepEqual([answer.headers.location, value(answer, SESSION)], [`${ORIGIN}/#openid=failed&reason=failed`, undefined]);
  });

  test('an answer of another issuer is refused', async () => {
    somebody();
    await linkedPlayer();
    const started = await begin({ client: { kind: 'page' } });
    const url = new URL(await issuer.authorize(started.body.authorizationUrl));
    url.searchParams.set('iss', other.url);
    const answer = await back(url.href, { [FLOW]: value(started, FLOW) ?? '' });
    assert.equal(answer.headers.location, `${ORIGIN}/#openid=failed&reason=failed`);
  });

  test('a flow of ten minutes ago has ended', async () => {
    somebody();
    await linkedPlayer();
    const started = await begin({ client: { kind: 'page' } });
    const url = await issuer.authorize(started.body.authorizationUrl);
    await database().query('update openid_flows set expires_at = now()');
    assert.equal((await back(url, { [FLOW]: value(started, FLOW) ?? '' })).headers.location, `${ORIGIN}/#openid=failed&reason=expired`);
  });

  for (const query of [
    '',
    '?state=',
    '?state=a&state=b',
    `?state=${'x'.repeat(5000)}`,
    '?state=%00',
    '?code=x&state[]=y',
    '?state=x&state=%',
  ]) {
    test(`a callback with ${JSON.stringify(query.slice(0, 30))} is sent to the page`, async () => {
      const answer = await send(application, 'GET', `/v1/openid/callback${query}`);
      assert.deepEqual([answer.status, answer.headers.location], [303, `${ORIGIN}/#openid=failed&reason=expired`]);
    });
  }

  test('whoever cancels at the issuer is back on the page', async () => {
    issuer.subject = '';
    assert.equal((await throughPage()).headers.location, `${ORIGIN}/#openid=failed&reason=cancelled`);
  });

  test('whoever cancels at the issuer is back in the game client', async () => {
    issuer.subject = '';
    assert.equal((await toLoopback(pkce().challenge)).searchParams.get('error'), 'cancelled');
  });

  test('an issuer that is away is told with a time to come back', async () => {
    const answer = await begin({ client: { kind: 'page' } }, {}, application, 'dead');
    assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '5']);
  });

  test('an issuer that comes back is asked again', async () => {
    const { openProviders } = await import('../../src/openid/providers.ts');
    let time = 0;
    const port = await freePort();
    const provider = { name: 'late', title: 'Late', issuer: `http://127.0.0.1:${port}`, clientId: 'broker', scopes: ['openid'] };
    const providers = openProviders([provider], { now: () => time });
    await assert.rejects(providers.configuration(provider), { code: 'unavailable' });
    const late = await startIssuer(CALLBACK, port);
    await assert.rejects(providers.configuration(provider), { code: 'unavailable' }, 'the failure is remembered for a moment');
    time += 5_001;
    const configuration = await providers.configuration(provider);
    await late.close();
    assert.equal(configuration.serverMetadata().issuer, late.url);
  });

  test('an issuer is discovered once', async () => {
    await begin({ client: { kind: 'page' } });
    const before = issuer.requests.length;
    await begin({ client: { kind: 'page' } });
    assert.equal(issuer.requests.length, before);
  });

  test('a provider that does not exist is not found', async () => {
    assert.equal((await begin({ client: { kind: 'page' } }, {}, application, 'nobody')).status, 404);
  });

  test('an account that was made through an issuer has no password to log in with', async () => {
    somebody();
    const name = freshName();
    const { ticket } = (await throughClient()).body;
    await send(application, 'POST', '/v1/openid/accounts', { body: { ticket, name } });
    assert.equal((await logIn(application, { name, password: PASSWORD }, { from: freshAddress() })).body.code, 'wrong-credentials');
  });

  test('neither tokens nor codes nor subjects are in the log', async () => {
    const subject = somebody();
    await linkedPlayer();
    const { body } = await throughClient();
    const lines = JSON.stringify(brokers.map(({ logged }) => logged));
    assert.deepEqual(
      [subject, body.token, issuer.clientSecret].filter((secret) => lines.includes(secret)),
      [],
    );
  });
});
