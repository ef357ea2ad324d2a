/**
 * Who a game server is that calls the broker: the result of checking its token.
 * It deliberately is an interface; in the cluster TokenReview answers (src/discovery/token-review.ts), on a laptop a file of tokens.
 */

/** The caller, proven: its pod and so the only server that it may act for. */
export interface GameServerCaller {
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
  /** `world:<realm>/<continent>` or `instance:<name of the GameServer>` (src/discovery/view.ts). */
  readonly serverId: string;
}

export interface GameServerAuthenticator {
  /**
   * @param address where the call comes from: a pod's own. @default unknown: tests
   * @throws Problem `not-logged-in` when the token is missing, wrong, expired, for another audience or no pod's; `not-allowed` when the pod is no game server that the broker knows;
   * `too-many-requests` when wrong tokens come from there all the time; `unavailable` when the Kubernetes API cannot be asked and the token was not seen lately
   */
  authenticate(bearer: string | undefined, address?: string): Promise<GameServerCaller>;
}
