/**
 * A real issuer on loopback (oidc-provider), and a browser that logs in to it without asking.
 * It deliberately has keys made for the run, and logs in whoever the test says.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

export interface Issuer {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who logs in next, and what that person is called. */
  subject: string;
  username: string;
  /** Goes through an authorization URL as a browser does, to where the issuer sends it back. */
  authorize(authorizationUrl: string): Promise<string>;
  /** Requests that reached it. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** @param redirectUri where it may send back to: the broker's callback */
export async function startIssuer(redirectUri: string, port = 0): Promise<Issuer> {
  const server = http.createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = { id: 'broker', secret: randomBytes(24).toString('hex') };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const requests: string[] = [];
  const issuer = { subject: 'nobody', username: 'Nobody' };
  const provider = new Provider(url, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'test' } as never] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    claims: { openid: ['sub'], profile: ['preferred_username'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    ttl: { Session: 60, Interaction: 60, Grant: 60, AccessToken: 60, IdToken: 60, AuthorizationCode: 60 },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: issuer.username }),
    }),
    interactions: { url: (_context: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
    loadExistingGrant: async (context: {
      oidc: {
        provider: { Grant: new (members: object) => { addOIDCScope(scope: string): void; save(): Promise<string> } };
        client: { clientId: string };
        session: { accountId: string };
      };
    }) => {
      const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
  } as never);
  const callback = provider.callback();
  server.on('request', (request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    if (!request.url?.startsWith('/interaction/')) return void callback(request, response);
    const result = issuer.subject === '' ? { error: 'access_denied' } : { login: { accountId: issuer.subject } };
    provider.interactionFinished(request, response, result).catch((error: unknown) => response.destroy(error as Error));
  });

  return Object.assign(issuer, {
    url,
    clientId: client.id,
    clientSecret: client.secret,
    requests,
    authorize: async (authorizationUrl: string) => {
      const jar = new Map<string, string>();
      let location = authorizationUrl;
      for (let hops = 0; hops < 10; hops++) {
        const response = await fetch(location, {
          redirect: 'manual',
          headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
        });
        for (const cookie of response.headers.getSetCookie()) {
          const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split(/=(.*)/s);
          jar.set(name, value);
        }
        const next = response.headers.get('location');
        if (next === null) throw new Error(`The issuer answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
        location = new URL(next, location).href;
        if (!location.startsWith(url)) return location;
      }
      throw new Error('The issuer redirects for ever.');
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
