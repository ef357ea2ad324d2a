/**
 * The player of the story: what a game client asks of the broker, and the headless client with the token that comes back.
 * It deliberately knows addresses and tokens only as far as a player's machine does.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Leftovers, Line, Program } from '../../../packages/netcode-token/interop/processes.ts';
import { clientProgram, is } from '../checks/programs.ts';

/** Seconds that a place may take to come: a world that restarts, an instance that starts. */
const PATIENCE = 90;

interface Place {
  readonly renet: string;
}

export class Player {
  readonly name = `player-${randomBytes(6).toString('hex')}`;
  readonly #password = randomBytes(18).toString('base64url');
  readonly #url: string;
  readonly #leftovers: Leftovers;
  #bearer: string | undefined;
  #characterId = '';
  /** The game client that runs now. */
  client: Program | undefined;

  constructor(url: string, leftovers: Leftovers) {
    this.#url = url;
    this.#leftovers = leftovers;
  }

  async #call<Answer>(method: string, route: string, body?: object): Promise<{ readonly status: number; readonly document: Answer }> {
    const response = await fetch(`${this.#url}${route}`, {
      method,
      headers: {
        ...(this.#bearer === undefined ? {} : { authorization: `Bearer ${this.#bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, document: (text === '' ? undefined : JSON.parse(text)) as Answer };
  }

  async #must<Answer>(method: string, route: string, body?: object): Promise<Answer> {
    const { status, document } = await this.#call<Answer>(method, route, body);
    if (status < 200 || status > 299) throw new Error(`${method} ${route} was answered with ${status}: ${JSON.stringify(document)}`);
    return document;
  }

  async register(): Promise<void> {
    await this.#must('POST', '/v1/accounts', { name: this.name, password: this.#password });
  }

  async logIn(): Promise<void> {
    const { token } = await this.#must<{ token: string }>('POST', '/v1/sessions', {
      name: this.name,
      password: this.#password,
      kind: 'bearer',
    });
    this.#bearer = token;
  }

  async makeCharacter(realm: string): Promise<void> {
    await this.#must('POST', '/v1/characters', { name: `hero-${randomBytes(6).toString('hex')}`, realm });
  }

  async pickCharacter(): Promise<void> {
    const { characters } = await this.#must<{ characters: { id: string }[] }>('GET', '/v1/characters');
    const [first] = characters;
    if (first === undefined) throw new Error('The account has no character.');
    this.#characterId = first.id;
  }

  /** Asks for a place until there is one. @param route a realm's or an instance's connect */
  async #place(route: string): Promise<Place> {
    for (const end = Date.now() + PATIENCE * 1000; ; await pause(250)) {
      const { status, document } = await this.#call<Place>('POST', route, { characterId: this.#characterId, encodings: ['renet'] });
      if (status === 200) return document;
      const waits = status === 202 || status === 503;
      if (!waits || Date.now() > end) throw new Error(`${route} was answered with ${status}: ${JSON.stringify(document)}`);
    }
  }

  /** Starts a game client with a place, and lets the one before go when the new server can wait for it. @returns what the server said first */
  async #enter(route: string, args: readonly string[]): Promise<Line> {
    const { renet } = await this.#place(route);
    const before = this.client;
    this.client = this.#leftovers.program(clientProgram('the client', renet, args));
    // The place is sure: the server that has the character is told to give it back, so that the next one's claim need not wait for a report.
    if (before && !before.isOver) before.write('go');
    const welcome = await this.client.until('welcome', is('welcome'), { seconds: PATIENCE });
    await before?.end();
    return welcome;
  }

  enterRealm(realm: string, args: readonly string[] = []): Promise<Line> {
    return this.#enter(`/v1/realms/${realm}/connect`, args);
  }

  enterInstance(id: string): Promise<Line> {
    return this.#enter(`/v1/instances/${id}/connect`, []);
  }

  /** Says a wish and waits for what the server answers to it. */
  async wish(wish: string, answer: string): Promise<Line> {
    if (this.client === undefined) throw new Error('No game client runs.');
    const from = this.client.lines.length;
    this.client.write(wish);
    return this.client.until(answer, is(answer), { seconds: 30, from });
  }
}
