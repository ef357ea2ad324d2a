/**
 * Game servers proven by a file of random tokens, one for each server: a laptop's stand-in for ServiceAccount tokens and TokenReview.
 * It deliberately is used on loopback only.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Problem } from '../problem.ts';
import type { GameServerAuthenticator, GameServerCaller } from './game-server-auth.ts';

const digest = (text: string) => createHash('sha256').update(text).digest();

export function staticTokens(tokens: ReadonlyMap<string, GameServerCaller>): GameServerAuthenticator {
  const known = [...tokens].map(([token, caller]) => ({ digest: digest(token), caller }));
  return {
    authenticate: async (bearer) => {
      if (!bearer) throw new Problem('not-logged-in', 'Send the server’s token as Authorization: Bearer.');
      const presented = digest(bearer);
      const found = known.find((entry) => timingSafeEqual(entry.digest, presented));
      if (!found) throw new Problem('not-logged-in', 'The token is no game server’s.');
      return found.caller;
    },
  };
}
