/**
 * What every part of the broker is given: its settings, its database, what it knows of servers, and how it says what happens.
 * It deliberately makes none of them; `serve`, the laptop's command and the tests put them together.
 */
import type { FastifyBaseLogger } from 'fastify';
import type { PasswordHasher } from './accounts/passwords.ts';
import type { SessionKeys } from './accounts/session-keys.ts';
import type { Database } from './database/database.ts';
import type { GameServerAuthenticator } from './discovery/game-server-auth.ts';
import type { ServerView } from './discovery/view.ts';
import type { Allocator } from './instances/allocator.ts';
import type { NetcodeKeys } from './keys/netcode-keys.ts';
import type { Metrics } from './metrics.ts';
import type { Settings } from './settings.ts';
import type { WorldScaler } from './sleep/scaler.ts';

export interface Broker {
  readonly settings: Settings;
  readonly database: Database;
  readonly view: ServerView;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
  readonly passwords: PasswordHasher;
  readonly sessionKeys: SessionKeys;
  readonly netcodeKeys: NetcodeKeys;
  /** Allocates and deletes GameServers. Undefined where there is no instanced content. */
  readonly allocator: Allocator | undefined;
  /** Starts and stops worlds of realms that may sleep. Not there on a laptop, whose servers are started by hand. */
  readonly worldScaler?: WorldScaler;
  readonly gameServers: GameServerAuthenticator;
  /** True from SIGTERM on: streams end, readiness fails, requests are still served. */
  readonly stopping: AbortSignal;
}
