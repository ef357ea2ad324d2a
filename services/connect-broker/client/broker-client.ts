/**
 * The broker's API as a game client uses it: bearer sessions over fetch, problems as errors.
 * It deliberately stores nothing and decides nothing; `main.ts` does.
 */

/** A refusal of the broker, or no answer at all (status 0, code `unreachable`). */
export class BrokerError extends Error {
  readonly status: number;
  readonly code: string;
  /** The problem document as it came (RFC 9457). */
  readonly problem: Readonly<Record<string, unknown>>;
  constructor(status: number, code: string, message: string, problem: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'BrokerError';
    this.status = status;
    this.code = code;
    this.problem = problem;
  }
}

export interface Character {
  readonly id: string;
  readonly name: string;
}

export interface IssuedToken {
  /** Base64; the one of the encoding that was asked for. */
  readonly token?: string;
  readonly renet?: string;
  /** Decimal. */
  readonly clientId: string;
  readonly expiresAt: string;
}

export interface Waiting {
  readonly state: 'queued' | 'ready' | 'starting' | 'asleep';
  readonly continent?: string;
  readonly position: number;
  readonly waiting: number;
  readonly estimateSeconds: number | null;
  readonly pollAfterSeconds: number;
}

export type Encoding = 'standard' | 'renet';

export interface ConnectRequest {
  readonly characterId: string;
  readonly continent?: string;
  readonly client?: { readonly protocolId?: string; readonly build?: string };
  readonly encodings: readonly Encoding[];
}

/** An answer takes longer only when something is wrong; hashing a password waits for its turn for some seconds at most. */
const TIMEOUT_MS = 30_000;

export class BrokerClient {
  readonly #url: URL;
  /** Bearer token of the session; undefined before a log-in. */
  session: string | undefined;

  constructor(url: URL, session?: string) {
    this.#url = url;
    this.session = session;
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly data: T }> {
    let answer: Response;
    let text: string;
    try {
      answer = await fetch(new URL(path, this.#url), {
        method,
        // A session must not be carried to wherever an answer points.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(this.session === undefined ? {} : { authorization: `Bearer ${this.session}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await answer.text();
    } catch (error) {
      const cause = (error as { cause?: { code?: string; message?: string } }).cause;
      const reason = cause?.code ?? cause?.message ?? (error as Error).message;
      throw new BrokerError(0, 'unreachable', `The broker at ${this.#url.origin} does not answer: ${reason}.`);
    }
    let data: unknown;
    try {
      data = text === '' ? undefined : JSON.parse(text);
    } catch {
      throw new BrokerError(
        answer.status,
        'not-a-broker',
        `What answers at ${this.#url.origin} is no connect broker: ${answer.status}, and no JSON.`,
      );
    }
    if (answer.ok) return { status: answer.status, data: data as T };
    const problem = (data ?? {}) as Record<string, unknown>;
    const detail = typeof problem.detail === 'string' ? problem.detail : `${method} ${path} was answered with ${answer.status}.`;
    throw new BrokerError(answer.status, typeof problem.code === 'string' ? problem.code : 'unknown', detail, problem);
  }

  /** Makes an account and logs in. Gives its recovery codes, which are shown once. */
  async register(name: string, password: string, invite: string | undefined, device: string): Promise<readonly string[]> {
    const body = { name, password, ...(invite === undefined ? {} : { invite }), kind: 'bearer', device };
    const { data } = await this.#call<{ readonly token: string; readonly recoveryCodes: readonly string[] }>('POST', '/v1/accounts', body);
    this.session = data.token;
    return data.recoveryCodes;
  }

  async logIn(name: string, password: string, device: string): Promise<void> {
    const body = { name, password, kind: 'bearer', device };
    this.session = (await this.#call<{ readonly token: string }>('POST', '/v1/sessions', body)).data.token;
  }

  async logOut(): Promise<void> {
    await this.#call('DELETE', '/v1/sessions/current');
    this.session = undefined;
  }

  async account(): Promise<{ readonly name: string }> {
    return (await this.#call<{ readonly name: string }>('GET', '/v1/account')).data;
  }

  async characters(): Promise<readonly Character[]> {
    return (await this.#call<{ readonly characters: readonly Character[] }>('GET', '/v1/characters')).data.characters;
  }

  async makeCharacter(name: string, realm: string, continent: string | undefined): Promise<Character> {
    const body = { name, realm, ...(continent === undefined ? {} : { continent }) };
    return (await this.#call<Character>('POST', '/v1/characters', body)).data;
  }

  /** A token, or how one waits for it. */
  async connect(realm: string, request: ConnectRequest): Promise<{ readonly token: IssuedToken } | { readonly wait: Waiting }> {
    const { status, data } = await this.#call<unknown>('POST', `/v1/realms/${encodeURIComponent(realm)}/connect`, request);
    return status === 202 ? { wait: data as Waiting } : { token: data as IssuedToken };
  }

  /**
   * A token for an instance, or the seconds after which to ask again.
   * @param target id of an instance, or a content type: one of one's own
   */
  async enterInstance(
    target: string,
    { characterId, client, encodings }: ConnectRequest,
  ): Promise<{ readonly token: IssuedToken } | { readonly pollAfterSeconds: number }> {
    const body = { characterId, ...(client === undefined ? {} : { client }), encodings };
    const { status, data } = await this.#call<unknown>('POST', `/v1/instances/${encodeURIComponent(target)}/connect`, body);
    return status === 202 ? (data as { pollAfterSeconds: number }) : { token: data as IssuedToken };
  }

  /** The own place in the queue; asking keeps it. Undefined when there is none (any more). */
  async queue(): Promise<Waiting | undefined> {
    try {
      return (await this.#call<Waiting>('GET', '/v1/queue')).data;
    } catch (error) {
      if (error instanceof BrokerError && error.status === 404) return undefined;
      throw error;
    }
  }

  async leaveQueue(): Promise<void> {
    await this.#call('DELETE', '/v1/queue');
  }
}
