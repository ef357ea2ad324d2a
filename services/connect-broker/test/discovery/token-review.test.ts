/** Game servers proven by TokenReview: what is believed, for how long, and what an outage of the API means. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type ApiClient, apiClient } from '../../src/discovery/api-client.ts';
import type { GameServerAuthenticator } from '../../src/discovery/game-server-auth.ts';
import { tokenReview } from '../../src/discovery/token-review.ts';
import { Problem } from '../../src/problem.ts';
import { type FakeApi, fakeApi } from './fake-api.ts';
import { PATHS } from './objects.ts';

/** So that the same arguments make the same token. */
const STARTED = Math.floor(Date.now() / 1000);

/** A token as the API server signs it; only its end is read here. */
const token = (name: string, secondsLeft = 3_600): string =>
  `h.${Buffer.from(JSON.stringify({ sub: name, exp: STARTED + secondsLeft })).toString('base64url')}.s`;

const proven = {
  authenticated: true,
  audiences: ['connect-broker'],
  user: {
    username: 'system:serviceaccount:realm-aurora:eldermoor',
    extra: { 'authentication.kubernetes.io/pod-name': ['eldermoor-0'], 'authentication.kubernetes.io/pod-uid': ['uid-1'] },
  },
};

let api: FakeApi;
let client: ApiClient;
let status: object;
before(async () => {
  api = await fakeApi();
  client = apiClient(api.credentials);
});
after(async () => {
  client.close();
  await api.close();
});
afterEach(() => {
  api.trouble = () => undefined;
});

function authenticator(
  pods: Readonly<Record<string, string>> = { 'realm-aurora/eldermoor-0/uid-1': 'world:aurora/eldermoor' },
  believedMs?: number,
  refusedMs?: number,
) {
  status = proven;
  api.requests.length = 0;
  api.create = () => ({ status: 201, body: { kind: 'TokenReview', status } });
  return tokenReview({
    client,
    view: { serverOfPod: (namespace, name, uid) => pods[`${namespace}/${name}/${uid}`] },
    audience: 'connect-broker',
    ...(believedMs === undefined ? {} : { believedMs }),
    ...(refusedMs === undefined ? {} : { refusedMs }),
  });
}
const reviews = () => api.requests.filter(({ path }) => path === PATHS.tokenReviews).length;
const code = (authenticator: GameServerAuthenticator, bearer: string | undefined) =>
  authenticator.authenticate(bearer).then(
    () => 'accepted',
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  );

describe('the token of a game server', () => {
  test('proves the server of its pod', async () => {
    assert.deepEqual(await authenticator().authenticate(token('a')), {
      namespace: 'realm-aurora',
      podName: 'eldermoor-0',
      podUid: 'uid-1',
      serverId: 'world:aurora/eldermoor',
    });
  });

  test('is reviewed for our audience', async () => {
    await authenticator().authenticate(token('a'));
    const { spec } = (api.requests[0]?.body ?? {}) as { spec: { audiences: string[] } };
    assert.deepEqual(spec.audiences, ['connect-broker']);
  });

  test('is needed', async () => {
    assert.equal(await code(authenticator(), undefined), 'not-logged-in');
  });

  test('is refused when the API server does not know it', async () => {
    const made = authenticator();
    status = { authenticated: false, error: 'token is expired' };
    assert.equal(await code(made, token('a')), 'not-logged-in');
  });

  test('is refused when it is for another audience', async () => {
    const made = authenticator();
    status = { ...proven, audiences: ['https://kubernetes.default.svc'] };
    assert.equal(await code(made, token('a')), 'not-logged-in');
  });

  test('is refused when nobody has looked at its audience', async () => {
    const made = authenticator();
    status = { ...proven, audiences: undefined };
    assert.equal(await code(made, token('a')), 'not-logged-in');
  });

  test('is refused when it is bound to no pod', async () => {
    const made = authenticator();
    status = { ...proven, user: { username: proven.user.username } };
    assert.equal(await code(made, token('a')), 'not-logged-in');
  });

  test('is refused when it is a person’s', async () => {
    const made = authenticator();
    status = { ...proven, user: { ...proven.user, username: 'alice' } };
    assert.equal(await code(made, token('a')), 'not-logged-in');
  });

  test('is not allowed when its pod is no game server of the view', async () => {
    assert.equal(await code(authenticator({}), token('a')), 'not-allowed');
  });

  test('that was refused is refused again for ten seconds without a review', async () => {
    const made = authenticator();
    status = { authenticated: false };
    for (let call = 0; call < 3; call++) assert.equal(await code(made, token('a')), 'not-logged-in');
    assert.equal(reviews(), 1);
  });

  test('is not looked at when ten others from its address were wrong', async () => {
    const made = authenticator();
    status = { authenticated: false };
    const refusal = (name: string, address: string) => made.authenticate(token(name), address).catch((error: Problem) => error.code);
    for (let call = 0; call < 10; call++) await refusal(`wrong-${call}`, '10.42.0.9');
    assert.deepEqual([await refusal('another', '10.42.0.9'), reviews()], ['too-many-requests', 10]);
  });

  test('is not looked at while ten others from its address are being looked at', async () => {
    const made = authenticator();
    status = { authenticated: false };
    const calls = Array.from({ length: 40 }, (_, call) => made.authenticate(token(`wrong-${call}`), '10.42.0.9').catch(() => undefined));
    await Promise.all(calls);
    assert.equal(reviews(), 10);
  });

  test('is looked at again when many of its address turned out right', async () => {
    const made = authenticator();
    for (let call = 0; call < 12; call++) await made.authenticate(token(`right-${call}`), '10.42.0.9');
    assert.equal((await made.authenticate(token('a'), '10.42.0.9')).podName, 'eldermoor-0');
  });

  test('is looked at when the wrong ones came from another address', async () => {
    const made = authenticator();
    status = { authenticated: false };
    for (let call = 0; call < 12; call++) await made.authenticate(token(`wrong-${call}`), '10.42.0.9').catch(() => undefined);
    status = proven;
    assert.equal((await made.authenticate(token('a'), '10.42.0.10')).podName, 'eldermoor-0');
  });

  test('that was proven before is believed whatever else comes from its address', async () => {
    const made = authenticator();
    await made.authenticate(token('a'), '10.42.0.9');
    status = { authenticated: false };
    for (let call = 0; call < 12; call++) await made.authenticate(token(`wrong-${call}`), '10.42.0.9').catch(() => undefined);
    assert.equal((await made.authenticate(token('a'), '10.42.0.9')).podName, 'eldermoor-0');
  });

  test('is reviewed once for many calls', async () => {
    const made = authenticator();
    for (let call = 0; call < 3; call++) await made.authenticate(token('a'));
    assert.equal(reviews(), 1);
  });

  test('is reviewed once for many calls at the same time', async () => {
    const made = authenticator();
    const same = token('a');
    await Promise.all(Array.from({ length: 20 }, () => made.authenticate(same)));
    assert.equal(reviews(), 1);
  });

  test('is reviewed again when the proof has grown old', async () => {
    const made = authenticator(undefined, 0);
    await made.authenticate(token('a'));
    await made.authenticate(token('a'));
    assert.equal(reviews(), 2);
  });

  test('is not believed beyond its own end', async () => {
    const made = authenticator();
    const ended = token('a', -1);
    await made.authenticate(ended);
    await made.authenticate(ended);
    assert.equal(reviews(), 2);
  });

  test('is compared with the view at every call', async () => {
    const pods: Record<string, string> = { 'realm-aurora/eldermoor-0/uid-1': 'world:aurora/eldermoor' };
    const made = authenticator(pods);
    await made.authenticate(token('a'));
    delete pods['realm-aurora/eldermoor-0/uid-1'];
    assert.equal(await code(made, token('a')), 'not-allowed');
  });

  test('that was refused is looked at again later', async () => {
    const made = authenticator(undefined, undefined, 0);
    status = { authenticated: false };
    await code(made, token('a'));
    status = proven;
    assert.equal(await code(made, token('a')), 'accepted');
  });

  test('cannot be checked while the API is away', async () => {
    const made = authenticator();
    api.trouble = () => 'break';
    assert.equal(await code(made, token('a')), 'unavailable');
  });

  test('cannot be checked while the API refuses to', async () => {
    const made = authenticator();
    api.trouble = () => 403;
    assert.equal(await code(made, token('a')), 'unavailable');
  });

  test('is believed while the API is away when it was proven before', async () => {
    const made = authenticator();
    const known = token('a');
    await made.authenticate(known);
    api.trouble = () => 'break';
    assert.equal(await code(made, known), 'accepted');
  });

  for (const trouble of ['break', 'hang', 500, 503, 429] as const) {
    test(`is believed beyond the proof’s age while the API answers with ${trouble}`, async () => {
      const made = authenticator(undefined, 0);
      const known = token('a');
      await made.authenticate(known);
      api.trouble = () => trouble;
      assert.equal(await code(made, known), 'accepted');
    });
  }

  test('is believed without another look for some seconds after one failed', async () => {
    const made = authenticator(undefined, 0);
    const known = token('a');
    await made.authenticate(known);
    api.trouble = () => 503;
    await code(made, known);
    const before = reviews();
    await code(made, known);
    assert.equal(reviews() - before, 0);
  });

  test('is not believed beyond its own end while the API is away', async () => {
    const made = authenticator(undefined, 0);
    const ended = token('a', -1);
    await made.authenticate(ended);
    api.trouble = () => 'break';
    assert.equal(await code(made, ended), 'unavailable');
  });

  test('is not believed longer than two hours while the API is away, whatever it says itself', async (t) => {
    const made = authenticator(undefined, 0);
    const long = token('a', 365 * 86_400);
    await made.authenticate(long);
    api.trouble = () => 'break';
    t.mock.method(Date, 'now', () => STARTED * 1000 + 7_300_000);
    assert.equal(await code(made, long), 'unavailable');
  });

  test('is not believed while the API is away when it has no end that can be read', async () => {
    const made = authenticator(undefined, 0);
    await made.authenticate('opaque');
    api.trouble = () => 'break';
    assert.equal(await code(made, 'opaque'), 'unavailable');
  });

  test('is not believed while the API refuses to check tokens', async () => {
    const made = authenticator(undefined, 0);
    const known = token('a');
    await made.authenticate(known);
    api.trouble = () => 403;
    assert.equal(await code(made, known), 'unavailable');
  });

  test('that was refused is not believed by an outage afterwards', async () => {
    const made = authenticator(undefined, 0);
    const known = token('a');
    await made.authenticate(known);
    status = { authenticated: false };
    await code(made, known);
    api.trouble = () => 'break';
    assert.equal(await code(made, known), 'not-logged-in');
  });

  test('is compared with the view while the API is away', async () => {
    const pods: Record<string, string> = { 'realm-aurora/eldermoor-0/uid-1': 'world:aurora/eldermoor' };
    const made = authenticator(pods, 0);
    const known = token('a');
    await made.authenticate(known);
    api.trouble = () => 'break';
    delete pods['realm-aurora/eldermoor-0/uid-1'];
    assert.equal(await code(made, known), 'not-allowed');
  });

  test('is not sent on when it is absurdly long', async () => {
    const made = authenticator();
    await code(made, 'x'.repeat(100_000));
    assert.equal(reviews(), 0);
  });
});
