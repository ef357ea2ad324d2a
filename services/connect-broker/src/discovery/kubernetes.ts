import type { FastifyBaseLogger } from 'fastify';
import type { Allocator } from '../instances/allocator.ts';
import type { Settings } from '../settings.ts';
import type { GameServerAuthenticator } from './game-server-auth.ts';
import type { ServerView } from './view.ts';

export interface KubernetesConnection {
  readonly view: ServerView;
  readonly allocator: Allocator | undefined;
  readonly gameServers: GameServerAuthenticator;
  close(): Promise<void>;
}

export function connectToKubernetes(_settings: Settings, _log: FastifyBaseLogger): KubernetesConnection {
  throw new Error('not yet');
}
