/**
 * What the tests of accounts share: a player who makes requests from an address of its own.
 * It deliberately goes through HTTP for everything that the API can do.
 */
import { randomBytes } from 'node:crypto';
import { passwordHasher } from '../../src/accounts/passwords.ts';
import type { Application } from '../../src/http/application.ts';

export const ORIGIN = 'https://mmo.example.org';
export const PASSWORD = 'correct horse battery';

/** Hashes that cost next to nothing, for tests of flows. */
export const quickPasswords = (options: { readonly most?: number } = {}) =>
  passwordHasher({ cost: { memoryCost: 1024, timeCost: 2, parallelism: 1 }, ...options });

let addresses = 0;
/** An address that no other test uses. */
export const freshAddress = (): string => {
  addresses++;
  return `198.${18 + (addresses >> 16)}.${(addresses >> 8) & 255}.${addresses & 255}`;
};

export const freshName = (): string => `Ada${randomBytes(6).toString('hex')}`;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  readonly body: any;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly cookies: readonly { readonly name: string; readonly value: string; readonly [attribute: string]: unknown }[];
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly from?: string;
}

/** Sends a request as a client behind one proxy at `from` (an address of its own where none is given). */
export async function send(application: Application, method: string, url: string, options: RequestOptions = {}): Promise<Answer> {
  const { body, token, headers = {}, cookies, from = freshAddress() } = options;
  const response = await application.inject({
    method: method as 'GET',
    url,
    headers: { 'x-forwarded-for': from, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(cookies ? { cookies: { ...cookies } } : {}),
    ...(body === undefined ? {} : { payload: body as object }),
  });
  const json = /json/.test(String(response.headers['content-type'])) && response.body !== '';
  return {
    status: response.statusCode,
    body: json ? response.json() : response.body,
    headers: response.headers,
    cookies: response.cookies as unknown as Answer['cookies'],
  };
}

export interface Player {
  readonly name: string;
  readonly password: string;
  readonly accountId: string;
  readonly sessionId: string;
  readonly token: string;
  readonly recoveryCodes: readonly string[];
  readonly address: string;
}

/** Registers a new account with a bearer session. */
export async function newPlayer(application: Application, { name = freshName(), password = PASSWORD } = {}): Promise<Player> {
  const address = freshAddress();
  const answer = await send(application, 'POST', '/v1/accounts', { body: { name, password }, from: address });
  if (answer.status !== 201) throw new Error(`No account: ${JSON.stringify(answer.body)}`);
  const { account, session, token, recoveryCodes } = answer.body;
  return { name, password, accountId: account.id, sessionId: session.id, token, recoveryCodes, address };
}

export const logIn = (
  application: Application,
  body: { readonly name: string; readonly password: string; readonly kind?: string; readonly device?: string },
  options: Omit<RequestOptions, 'body'> = {},
): Promise<Answer> => send(application, 'POST', '/v1/sessions', { ...options, body });

/** The value of a metric of log-ins. */
export async function loginCount(
  metrics: { readonly logins: { get(): Promise<{ values: { labels: object; value: number }[] }> } },
  result: string,
) {
  const { values } = await metrics.logins.get();
  return values.find(({ labels }) => (labels as { result?: string }).result === result)?.value ?? 0;
}
