/**
 * A log-in through an issuer, from the first redirection to an identity that the issuer has proven.
 * It deliberately decides nothing about accounts (identities.ts); a flow is a row, so that any replica can finish what another has begun.
 */
import * as openid from 'openid-client';
import { z } from 'zod';
import { hashCode, randomToken } from '../accounts/codes.ts';
import type { Identity } from '../accounts/registration.ts';
import type { Broker } from '../broker.ts';
import { Problem } from '../problem.ts';
import type { Provider, Providers } from './providers.ts';

/** Where the issuer sends the browser back to, for every provider: the state tells them apart. */
export const CALLBACK_PATH = '/v1/openid/callback';

/**
 * A path of the page, and nothing that leads elsewhere.
 * @throws never; whatever is not a plain path of ours is refused by the schema
 */
export const pagePath = z
  .string()
  .max(200)
  .regex(/^\/(?![/\\])[A-Za-z0-9\-._~/?=&%]*$/, "must be a path of the page, such as '/' or '/realms'");

/** RFC 8252, section 7.3: the port is the client's choice, the host is the literal and not a name that somebody may resolve. */
export const loopbackUri = z
  .string()
  .max(300)
  .refine((text) => {
    if (!/^http:\/\/(127\.0\.0\.1|\[::1\]):[0-9]{1,5}(\/|\?|$)/.test(text) || !URL.canParse(text)) return false;
    const url = new URL(text);
    return (
      ['127.0.0.1', '[::1]'].includes(url.hostname) && url.port !== '' && url.username === '' && url.password === '' && url.hash === ''
    );
  }, 'must be an address of this machine with a port and without a fragment, such as http://127.0.0.1:53412/done');

export const flowClient = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('page'), returnTo: pagePath.default('/') }),
  z.object({
    kind: z.literal('native'),
    redirectUri: loopbackUri.describe('Where the game client listens; may have a query of its own, such as a state.'),
    codeChallenge: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/, 'must be the SHA-256 of the code verifier in base64url without padding (43 characters)')
      .describe('Of a verifier that the game client keeps: BASE64URL(SHA256(verifier)), RFC 7636.'),
  }),
]);
export type FlowClient = z.output<typeof flowClient>;

const flowDetails = z.object({ client: flowClient, device: z.string() });

export interface StartedFlow {
  readonly authorizationUrl: string;
  /** The secret that names the flow; the page's browser keeps it as a cookie. */
  readonly state: string;
  readonly expiresAt: Date;
}

/**
 * Begins a flow.
 * @param sessionId the session that links an identity; undefined for a log-in
 * @throws Problem `unavailable` while the issuer cannot be reached
 */
export async function startFlow(
  broker: Broker,
  providers: Providers,
  provider: Provider,
  {
    client,
    device = '',
    sessionId,
  }: { readonly client: FlowClient; readonly device?: string | undefined; readonly sessionId: string | undefined },
): Promise<StartedFlow> {
  const configuration = await providers.configuration(provider);
  const state = randomToken();
  const nonce = openid.randomNonce();
  const codeVerifier = openid.randomPKCECodeVerifier();
  const authorizationUrl = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: callbackUrl(broker).href,
    scope: provider.scopes.join(' '),
    state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  });
  const [row] = await broker.database.query<{ expires_at: Date }>(
    `insert into openid_flows (state_hash, provider, nonce, code_verifier, session_id, details)
     values ($1, $2, $3, $4, $5, $6::jsonb) returning expires_at`,
    [hashCode('openid-state', state), provider.name, nonce, codeVerifier, sessionId ?? null, JSON.stringify({ client, device })],
  );
  if (!row) throw new Error('The flow was not stored.');
  return { authorizationUrl: authorizationUrl.href, state, expiresAt: row.expires_at };
}

const callbackUrl = ({ settings }: Broker): URL => new URL(CALLBACK_PATH, settings.publicUrl);

export interface Flow {
  readonly state: string;
  readonly provider: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly sessionId: string | undefined;
  readonly client: FlowClient;
  readonly device: string;
}

/** Takes a flow out by its state, so that the same callback cannot be used twice; undefined when there is none (any more). */
export async function takeFlow(broker: Broker, state: string): Promise<Flow | undefined> {
  const [row] = await broker.database.query<{
    provider: string;
    nonce: string;
    code_verifier: string;
    session_id: string | null;
    details: unknown;
  }>(
    'delete from openid_flows where state_hash = $1 and expires_at > now() returning provider, nonce, code_verifier, session_id, details',
    [hashCode('openid-state', state)],
  );
  if (!row) return undefined;
  return {
    state,
    provider: row.provider,
    nonce: row.nonce,
    codeVerifier: row.code_verifier,
    sessionId: row.session_id ?? undefined,
    ...flowDetails.parse(row.details),
  };
}

/** Why an issuer gave us no identity. */
export class FlowFailed extends Error {
  readonly reason: 'cancelled' | 'failed' | 'unavailable';

  constructor(reason: FlowFailed['reason'], cause: unknown) {
    super(`The log-in through an issuer was not finished: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'FlowFailed';
    this.reason = reason;
  }
}

const TITLE_MOST = 100;

/**
 * Exchanges what the issuer has sent for a token, and checks it: issuer, audience, signature, nonce, times, PKCE.
 * @param query the query of the callback, as it came
 * @throws FlowFailed
 */
export async function finishFlow(broker: Broker, providers: Providers, flow: Flow, query: string): Promise<Identity> {
  const current = callbackUrl(broker);
  current.search = query;
  try {
    const provider = providers.named(flow.provider);
    const configuration = await providers.configuration(provider);
    const tokens = await openid.authorizationCodeGrant(configuration, current, {
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      pkceCodeVerifier: flow.codeVerifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw new Error('The issuer sent no ID token.');
    const title = titleOf(claims) ?? titleOf(await userInfo(configuration, tokens.access_token, claims.sub)) ?? '';
    return { issuer: claims.iss, subject: claims.sub, title };
  } catch (error) {
    throw new FlowFailed(reasonOf(error), error);
  }
}

function reasonOf(error: unknown): FlowFailed['reason'] {
  if (error instanceof openid.AuthorizationResponseError) return error.error === 'access_denied' ? 'cancelled' : 'failed';
  if (error instanceof Problem && error.code === 'unavailable') return 'unavailable';
  const cause = error instanceof Error ? error.cause : undefined;
  const unreachable = [error, cause].some(
    (each) => each instanceof Error && (each.name === 'TimeoutError' || /fetch failed/.test(each.message)),
  );
  return unreachable ? 'unavailable' : 'failed';
}

/** What somebody is called at the issuer. It is shown to its owner only, and never identifies. */
function titleOf(claims: Readonly<Record<string, unknown>> | undefined): string | undefined {
  for (const key of ['preferred_username', 'nickname', 'name']) {
    const value = claims?.[key];
    if (typeof value !== 'string') continue;
    const title = value.replaceAll(/\p{C}/gu, '').trim().slice(0, TITLE_MOST).trim();
    if (title !== '') return title;
  }
  return undefined;
}

/** Some issuers tell names here only. Without it the identity has no title. */
async function userInfo(
  configuration: openid.Configuration,
  accessToken: string,
  subject: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return undefined;
  try {
    return await openid.fetchUserInfo(configuration, accessToken, subject);
  } catch {
    return undefined;
  }
}
