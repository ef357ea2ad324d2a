/**
 * The broker's API as the page uses it: JSON over fetch with the session's cookie, problems as errors with their mistakes by field.
 * It deliberately keeps no state; the browser keeps the cookie, and the script never sees it.
 */
import type { PageConfig } from '../src/page/shell.ts';
import { texts } from './texts.ts';

/** A refusal of the broker, or a request that did not reach it (status 0). The message is for the person at the page. */
export class Failure extends Error {
  readonly status: number;
  readonly code: string;
  /** By field: the last part of the place that the broker names. */
  readonly mistakes: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;
  constructor(status: number, code: string, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.members = members;
    const mistakes = Array.isArray(members.mistakes) ? (members.mistakes as { at?: string; problem?: string }[]) : [];
    this.mistakes = Object.fromEntries(
      mistakes.map(({ at = '', problem = '' }) => [at.split('/').pop() ?? '', texts.failures.field(problem)]),
    );
  }
}

let onSessionLost: () => void = () => undefined;
/** Called when a request is refused because the session has ended. */
export const whenSessionIsLost = (listener: () => void): void => {
  onSessionLost = listener;
};

interface Answer<T> {
  readonly status: number;
  readonly data: T;
  /** Milliseconds that the server's clock is ahead of this computer's, which may be wrong by any amount. */
  readonly aheadMs: number;
}

async function call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(path, {
      method,
      cache: 'no-store',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    text = await answer.text();
  } catch {
    throw new Failure(0, 'unreachable', texts.failures.unreachable);
  }
  let data: unknown;
  try {
    data = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new Failure(answer.status, 'unreadable', texts.failures.unknown);
  }
  if (answer.ok) {
    const told = Date.parse(answer.headers.get('date') ?? '');
    return { status: answer.status, data: data as T, aheadMs: Number.isNaN(told) ? 0 : told - Date.now() };
  }
  const problem = (data ?? {}) as Record<string, unknown>;
  const code = typeof problem.code === 'string' ? problem.code : 'unknown';
  if (code === 'not-logged-in') onSessionLost();
  const retry =
    typeof problem.retryAfterSeconds === 'number' && answer.status === 429 ? ` ${texts.failures.retry(problem.retryAfterSeconds)}` : '';
  throw new Failure(
    answer.status,
    code,
    `${typeof problem.detail === 'string' ? problem.detail : texts.failures.unknown}${retry}`,
    problem,
  );
}

const get = async <T>(path: string): Promise<T> => (await call<T>('GET', path)).data;
const post = async <T>(path: string, body: unknown): Promise<T> => (await call<T>('POST', path, body)).data;
const remove = async <T>(path: string, body?: unknown): Promise<T> => (await call<T>('DELETE', path, body)).data;

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly role: 'player' | 'admin';
  readonly hasPassword: boolean;
  readonly recoveryCodesLeft: number;
  readonly email: string | null;
  readonly emailConfirmed: boolean;
}
export interface Character {
  readonly id: string;
  readonly name: string;
  readonly realm: string;
  readonly continent: string;
  readonly savedAt: string | null;
  readonly playing: boolean;
}
export interface SessionEntry {
  readonly id: string;
  readonly kind: 'cookie' | 'bearer';
  readonly device: string;
  readonly lastUsedAt: string;
  readonly current: boolean;
}
export interface Identity {
  readonly id: string;
  readonly provider: { readonly title: string } | null;
  readonly issuer: string;
  readonly title: string;
}
export interface Token {
  readonly token: string;
  readonly renet: string;
  readonly clientId: string;
  /** When it expires by this computer's clock: milliseconds since 1970. */
  readonly endsAt: number;
}
export interface Waiting {
  readonly state: 'queued' | 'ready' | 'starting' | 'asleep';
  readonly realm: string;
  readonly continent: string;
  readonly characterId: string;
  readonly position: number;
  readonly waiting: number;
  readonly estimateSeconds: number | null;
}
export type Connected<Wait> = { readonly token: Token } | { readonly wait: Wait };

/** What its owner recognises a session by. Browsers say less and less of themselves; this much all of them do. */
function device(): string {
  const agent = navigator.userAgent;
  const browser = /Firefox|Edg|OPR|Chrome|Safari/.exec(agent)?.[0] ?? 'Browser';
  const system = /Windows|Android|iPhone|iPad|Mac OS|Linux/.exec(agent)?.[0];
  return `${{ Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser}${system ? ` on ${system}` : ''}`;
}
const byCookie = () => ({ kind: 'cookie' as const, device: device() });
const ENCODINGS = ['standard', 'renet'];

async function connect<Wait>(path: string, body: object): Promise<Connected<Wait>> {
  const { status, data, aheadMs } = await call<unknown>('POST', path, { ...body, encodings: ENCODINGS });
  if (status === 202) return { wait: data as Wait };
  const issued = data as Omit<Token, 'endsAt'> & { readonly expiresAt: string };
  return { token: { ...issued, endsAt: Date.parse(issued.expiresAt) - aheadMs } };
}

export const api = {
  account: () => get<Account>('/v1/account'),
  register: (name: string, password: string, invite: string | undefined, email: string | undefined) =>
    post<{ readonly recoveryCodes: readonly string[] }>('/v1/accounts', {
      name,
      password,
      ...(invite ? { invite } : {}),
      ...(email ? { email } : {}),
      ...byCookie(),
    }),
  logIn: (name: string, password: string) => post('/v1/sessions', { name, password, ...byCookie() }),
  logOut: () => remove('/v1/sessions/current'),
  logOutEverywhere: () => remove<{ readonly sessionsEnded: number }>('/v1/sessions'),
  sessions: async () => (await get<{ readonly sessions: readonly SessionEntry[] }>('/v1/sessions')).sessions,
  endSession: (id: string) => remove(`/v1/sessions/${id}`),
  changePassword: (currentPassword: string | undefined, newPassword: string) =>
    post<{ readonly sessionsEnded: number }>('/v1/account/password', { ...(currentPassword ? { currentPassword } : {}), newPassword }),
  newRecoveryCodes: async (password: string | undefined) =>
    (await post<{ readonly recoveryCodes: readonly string[] }>('/v1/account/recovery-codes', password ? { password } : {})).recoveryCodes,
  setEmail: async (email: string | null, password: string | undefined) =>
    (await call<{ readonly confirmationSent: boolean }>('PUT', '/v1/account/email', { email, ...(password ? { password } : {}) })).data,
  confirmEmail: (token: string) => post('/v1/email-confirmations', { token }),
  deleteAccount: (password: string | undefined) => remove('/v1/account', password ? { password } : {}),
  export: () => get<unknown>('/v1/account/export'),
  resetByLink: (token: string, newPassword: string) => post('/v1/password-resets', { token, newPassword }),
  resetByCode: (name: string, recoveryCode: string, newPassword: string) =>
    post<{ readonly recoveryCodesLeft: number }>('/v1/password-resets/recovery-codes', { name, recoveryCode, newPassword }),
  mailReset: (name: string) => post('/v1/password-resets/requests', { name }),
  characters: () => get<{ readonly characters: readonly Character[]; readonly most: number }>('/v1/characters'),
  makeCharacter: (name: string, realm: string, continent: string) => post<Character>('/v1/characters', { name, realm, continent }),
  deleteCharacter: (id: string) => remove(`/v1/characters/${id}`),
  enter: (realm: string, continent: string, characterId: string) =>
    connect<Waiting>(`/v1/realms/${realm}/connect`, { characterId, continent }),
  enterInstance: (target: string, characterId: string) =>
    connect<{ readonly instanceId: string; readonly pollAfterSeconds: number }>(`/v1/instances/${target}/connect`, { characterId }),
  /** Undefined when the account waits nowhere. */
  queue: async (): Promise<Waiting | undefined> => {
    try {
      return await get<Waiting>('/v1/queue');
    } catch (error) {
      if (error instanceof Failure && error.status === 404) return undefined;
      throw error;
    }
  },
  leaveQueue: () => remove('/v1/queue'),
  /** Leaves the page for the provider's. */
  openId: async (provider: string, purpose: 'login' | 'link', password?: string) => {
    const { authorizationUrl } = await post<{ readonly authorizationUrl: string }>(`/v1/openid/${provider}/flows`, {
      purpose,
      client: { kind: 'page', returnTo: purpose === 'link' ? '/account' : '/' },
      device: device(),
      ...(password ? { password } : {}),
    });
    location.assign(authorizationUrl);
  },
  openIdPending: () =>
    get<{ readonly provider: string; readonly suggestedName: string | null; readonly inviteNeeded: boolean }>('/v1/openid/pending'),
  openIdRegister: (name: string, invite: string | undefined) =>
    post<{ readonly recoveryCodes: readonly string[] }>('/v1/openid/accounts', { name, ...(invite ? { invite } : {}), ...byCookie() }),
  identities: async () => (await get<{ readonly identities: readonly Identity[] }>('/v1/account/identities')).identities,
  unlink: (id: string, password?: string) => remove(`/v1/account/identities/${id}`, password ? { password } : undefined),
};

/** What the document tells the script (src/page/shell.ts). */
export const config = (): PageConfig => JSON.parse(document.getElementById('page')?.dataset.config ?? '{}') as PageConfig;
