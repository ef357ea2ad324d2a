/**
 * Proves game servers by TokenReview: the API server says whose token it is, and the view says which server that pod is.
 * It deliberately verifies no signature itself: a token of a deleted pod is still well signed, and only the API server knows that it is worth nothing.
 * While the API server is away, what it has proven before holds until the token's own end: otherwise no server could report, and every player would lose his place.
 */
import { createHash } from 'node:crypto';
import { Problem } from '../problem.ts';
import { type ApiClient, ApiRefusal } from './api-client.ts';
import type { GameServerAuthenticator, GameServerCaller } from './game-server-auth.ts';
import type { ServerView } from './view.ts';

export interface TokenReviewOptions {
  readonly client: ApiClient;
  readonly view: Pick<ServerView, 'serverOfPod'>;
  /** Audience that a token must be for. */
  readonly audience: string;
  /** How long a proof is believed without asking again; the pod is compared with the view at every call nevertheless. @default 60 s */
  readonly believedMs?: number;
  /** How long a token that was refused is refused again without asking. @default 10 s */
  readonly refusedMs?: number;
  /** @default 20,000: ten thousand game servers, each with a renewed token */
  readonly most?: number;
}

const BELIEVED_MS = 60_000;
/** The most that a proof is believed while the API server is away, whatever the token says; the kubelet's own last an hour. */
const MOST_BELIEVED_AWAY_MS = 2 * 60 * 60 * 1000;
/** Who was proven before does not wait long for an API server that hangs: servers report every 5 s, and lose their players after 15. */
const RENEWAL_TIMEOUT_MS = 2_000;
/** After a failure, nobody who was proven before waits for the API server for as long. */
const AWAY_PAUSE_MS = 5_000;
const MOST_PROOFS = 20_000;
/** A token that was refused is refused again for as long, without a look: a server that goes on with an old one must not cost the API server a review each time. */
const REFUSED_MS = 10_000;
/** Refusals of one address in `REFUSED_MS`, with what is being looked at; from then on, what is unknown from there is not looked at. A pod that reads an old file once has one. */
const MOST_REFUSED = 10;
/** What the kubelet projects has about 1.2 kB. */
const MOST_TOKEN_LENGTH = 8 * 1024;

interface Proof {
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
  /** Until when nobody asks again. Milliseconds since 1970. */
  readonly until: number;
  /** Until when it is believed while the API server is away: the token's own end. */
  readonly untilAway: number;
}

/** The API server is away or ill: it has said nothing about the token. */
class Away extends Error {}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly error?: string;
    readonly user?: { readonly username?: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  };
}

/** `authentication.kubernetes.io/pod-name` and `pod-uid` are there for tokens that are bound to a pod: those that the kubelet projects. */
const EXTRA = { podName: 'authentication.kubernetes.io/pod-name', podUid: 'authentication.kubernetes.io/pod-uid' } as const;

export function tokenReview({
  client,
  view,
  audience,
  believedMs = BELIEVED_MS,
  refusedMs = REFUSED_MS,
  most = MOST_PROOFS,
}: TokenReviewOptions): GameServerAuthenticator {
  /** By the token's hash, oldest first: tokens themselves are not kept. */
  const proofs = new Map<string, Proof>();
  const underWay = new Map<string, Promise<Proof>>();
  /** Until when a token (by its hash) is refused unseen, and by address how many were refused since when. */
  const refusedUntil = new Map<string, number>();
  const refusals = new Map<string, { readonly from: number; count: number }>();
  /** Unknown tokens of an address that are being reviewed: each may be a refusal, so many at once count as if they were. */
  const looks = new Map<string, number>();

  const noteRefusal = (key: string, address: string | undefined) => {
    const now = Date.now();
    keepYoung(refusedUntil, key, now + refusedMs, most);
    if (address === undefined) return;
    const counted = refusals.get(address);
    if (counted && now - counted.from < REFUSED_MS) counted.count++;
    else keepYoung(refusals, address, { from: now, count: 1 }, most);
  };
  /** @throws Problem for an address that sends nothing but unknown tokens */
  const refuseMore = (address: string) => {
    const now = Date.now();
    const counted = refusals.get(address);
    const recent = counted && now - counted.from < REFUSED_MS ? counted : undefined;
    if ((recent?.count ?? 0) + (looks.get(address) ?? 0) < MOST_REFUSED) return;
    throw new Problem(
      'too-many-requests',
      'Too many wrong tokens came from this address. Read the file again, and try again in some seconds.',
      {
        retryAfterSeconds: recent ? Math.max(1, Math.ceil((recent.from + REFUSED_MS - now) / 1000)) : 1,
      },
    );
  };
  const noteLook = (address: string, change: 1 | -1) => {
    const count = (looks.get(address) ?? 0) + change;
    if (count > 0) looks.set(address, count);
    else looks.delete(address);
  };

  let awayUntil = 0;

  const review = async (token: string, isRenewal: boolean): Promise<Proof> => {
    let answer: TokenReview;
    try {
      answer = await client.request<TokenReview>({
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } },
        ...(isRenewal ? { timeoutMs: RENEWAL_TIMEOUT_MS } : {}),
      });
    } catch (error) {
      if (!(error instanceof ApiRefusal) || error.status >= 500 || error.status === 429) throw new Away();
      throw unavailable('refuses to check tokens');
    }
    awayUntil = 0;
    const { authenticated, audiences, user } = answer.status ?? {};
    // An API server that knows no audiences answers with none: then nobody has looked at them.
    if (!authenticated || !audiences?.includes(audience)) throw refused();
    const namespace = /^system:serviceaccount:([^:]+):[^:]+$/.exec(user?.username ?? '')?.[1];
    const podName = user?.extra?.[EXTRA.podName]?.[0];
    const podUid = user?.extra?.[EXTRA.podUid]?.[0];
    if (!namespace || !podName || !podUid) {
      throw new Problem(
        'not-logged-in',
        'The token is bound to no pod. Send the one that the kubelet projects into the game server’s container.',
      );
    }
    const now = Date.now();
    const end = expiryOf(token);
    return {
      namespace,
      podName,
      podUid,
      until: Math.min(now + believedMs, end ?? Number.POSITIVE_INFINITY),
      untilAway: Math.min(now + MOST_BELIEVED_AWAY_MS, end ?? 0),
    };
  };

  const prove = async (token: string, address: string | undefined): Promise<Proof> => {
    const key = createHash('sha256').update(token).digest('base64');
    const known = proofs.get(key);
    const now = Date.now();
    if (known && (known.until > now || (awayUntil > now && known.untilAway > now))) return known;
    if (!known && (refusedUntil.get(key) ?? 0) > now) throw refused();
    const asked = underWay.get(key);
    if (asked) return asked;
    const counted = known ? undefined : address;
    if (counted !== undefined) {
      refuseMore(counted);
      noteLook(counted, 1);
    }
    const asking = review(token, known !== undefined && known.untilAway > now)
      .then(
        (proof) => {
          proofs.delete(key);
          for (const [oldest, { until, untilAway }] of proofs) {
            if (proofs.size < most && Math.max(until, untilAway) > Date.now()) break;
            proofs.delete(oldest);
          }
          proofs.set(key, proof);
          return proof;
        },
        (error: unknown) => {
          if (!(error instanceof Away)) {
            // The token itself was refused: an outage afterwards must not bring the earlier proof back.
            if (error instanceof Problem && error.code === 'not-logged-in') {
              proofs.delete(key);
              noteRefusal(key, address);
            }
            throw error;
          }
          awayUntil = Date.now() + AWAY_PAUSE_MS;
          if (known && known.untilAway > Date.now()) return known;
          throw unavailable('cannot be reached');
        },
      )
      .finally(() => {
        underWay.delete(key);
        if (counted !== undefined) noteLook(counted, -1);
      });
    underWay.set(key, asking);
    return asking;
  };

  return {
    authenticate: async (bearer, address): Promise<GameServerCaller> => {
      if (!bearer) throw new Problem('not-logged-in', 'Send the server’s token as Authorization: Bearer.');
      if (bearer.length > MOST_TOKEN_LENGTH) throw refused();
      const { namespace, podName, podUid } = await prove(bearer, address);
      const serverId = view.serverOfPod(namespace, podName, podUid);
      if (serverId === undefined) {
        throw new Problem(
          'not-allowed',
          `The pod ${namespace}/${podName} is no game server that the broker knows (yet). Try again in some seconds.`,
          {
            retryAfterSeconds: 2,
          },
        );
      }
      return { namespace, podName, podUid, serverId };
    },
  };
}

/** Puts an entry in as the youngest; the oldest goes when there are too many. */
function keepYoung<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

const refused = () =>
  new Problem('not-logged-in', 'The token is not valid here. Read the file again: the kubelet exchanges it before it expires.');

const unavailable = (why: string) =>
  new Problem('unavailable', `The token cannot be checked: the Kubernetes API ${why} at the moment. Try again in some seconds.`, {
    retryAfterSeconds: 5,
  });

/** The token's own end (milliseconds since 1970), read without a look at its signature: the review of this same token has confirmed it. */
function expiryOf(token: string): number | undefined {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
