/**
 * The running broker as players and game servers see it: HTTP, and the files that the laptop's broker makes for game servers.
 * It deliberately uses nothing of the broker's code: whatever the checks prove, they prove from outside.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A continent of the list of realms that the broker is started with. */
export interface World {
  readonly realm: string;
  readonly continent: string;
  readonly address: string;
  readonly port: number;
}

/** A refusal, as a problem document (RFC 9457). */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly reason: string | undefined;
}

/** The answer with a token in both forms. */
export interface Ticket {
  /** The standard's 2048 bytes in base64. */
  readonly token: string;
  /** renet's form in base64. */
  readonly renet: string;
  readonly clientId: string;
  readonly playSessionId: string;
  readonly expiresAt: string;
}

export interface Player {
  readonly name: string;
  readonly password: string;
  readonly bearer: string;
  readonly accountId: string;
  readonly characterId: string;
}

export class Backend {
  readonly url: string;
  readonly internalUrl: string;
  readonly home: string;

  constructor(port: number, home: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.internalUrl = `http://127.0.0.1:${port + 1}`;
    this.home = home;
  }

  async #call(method: string, url: string, bearer: string | undefined, body?: unknown): Promise<{ status: number; document: unknown }> {
    const response = await fetch(url, {
      method,
      headers: {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, document: text === '' ? undefined : JSON.parse(text) };
  }

  /** @throws when the answer is not a success */
  async request<T>(method: string, route: string, bearer?: string, body?: unknown): Promise<T> {
    const { status, document } = await this.#call(method, `${this.url}${route}`, bearer, body);
    if (status >= 200 && status < 300) return document as T;
    throw new Error(`${method} ${route} was answered with ${status}: ${JSON.stringify(document)}`);
  }

  /** Makes an account and its character, and logs in once more as a game client does: by name and password, for a bearer token. */
  async newPlayer(world: World): Promise<Player> {
    const name = `player-${randomBytes(6).toString('hex')}`;
    const password = randomBytes(18).toString('base64url');
    await this.request('POST', '/v1/accounts', undefined, { name, password });
    const bearer = await this.logIn({ name, password });
    const { id: accountId } = await this.request<{ id: string }>('GET', '/v1/account', bearer);
    const { id: characterId } = await this.request<{ id: string }>('POST', '/v1/characters', bearer, {
      name: `hero-${randomBytes(6).toString('hex')}`,
      realm: world.realm,
      continent: world.continent,
    });
    return { name, password, bearer, accountId, characterId };
  }

  /** @returns a bearer token of a new session */
  async logIn({ name, password }: Pick<Player, 'name' | 'password'>): Promise<string> {
    const { token } = await this.request<{ token: string }>('POST', '/v1/sessions', undefined, { name, password, kind: 'bearer' });
    return token;
  }

  /** A token for a world, in both forms. */
  async connect(player: Player, world: World, bearer = player.bearer): Promise<Ticket> {
    return this.request('POST', `/v1/realms/${world.realm}/connect`, bearer, {
      characterId: player.characterId,
      continent: world.continent,
      encodings: ['standard', 'renet'],
    });
  }

  /** Bans an account until the ban is lifted. */
  async ban(admin: Player, banned: Player): Promise<void> {
    await this.request('POST', '/v1/admin/bans', admin.bearer, { account: banned.accountId, reason: 'For the check of bans.' });
  }

  /** Tries to claim a session as the server of `world`. @returns undefined when it was accepted */
  async claim(world: World, { playSessionId, clientId }: Ticket): Promise<Refusal | undefined> {
    const bearer = readFileSync(this.serverTokenFile(world), 'utf8').trim();
    const { status, document } = await this.#call('POST', `${this.internalUrl}/v1/game/claims`, bearer, { playSessionId, clientId });
    if (status === 200) return undefined;
    const { code, reason } = document as { code: string; reason?: string };
    return { status, code, reason };
  }

  /** Players in a world, as the public list says. */
  async players(world: World): Promise<number | undefined> {
    interface Named {
      readonly name: string;
    }
    const { realms } = await this.request<{ realms: (Named & { continents: (Named & { players: number })[] })[] }>('GET', '/v1/realms');
    const realm = realms.find(({ name }) => name === world.realm);
    return realm?.continents.find(({ name }) => name === world.continent)?.players;
  }

  serverTokenFile({ realm, continent }: World): string {
    return path.join(this.home, 'game-server-tokens', `world-${realm}-${continent}`);
  }

  /** What the platform would put into a game server's environment (docs/game-server.md). */
  serverEnvironment(world: World, protocolId: string, build: string): Record<string, string> {
    return {
      MMO_KIND: 'world',
      MMO_REALM: world.realm,
      MMO_CONTINENT: world.continent,
      MMO_CAPACITY: '64',
      MMO_BUILD: build,
      MMO_PROTOCOL_ID: protocolId,
      MMO_GAME_PORT: String(world.port),
      MMO_NETCODE_KEY_FILE: path.join(this.home, 'netcode-keys', `realm.${world.realm}.1`),
      MMO_NETCODE_KEY_GENERATION: '1',
      MMO_BROKER_URL: this.internalUrl,
      MMO_BROKER_TOKEN_FILE: this.serverTokenFile(world),
      POD_IP: world.address,
    };
  }
}
