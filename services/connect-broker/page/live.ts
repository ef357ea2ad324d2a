/**
 * The realms, as they are now: a stream of events where it works, a request every few seconds where it does not.
 * It deliberately stops while nobody looks at the page: browsers open only six connections to a host without HTTP/2.
 */
import { useEffect, useState } from 'preact/hooks';
import type { RealmsDocument } from '../src/realms/document.ts';

/** How the list comes: by stream, by asking, or not at all at the moment. */
export type Liveness = 'live' | 'polled' | 'lost';

export interface LiveRealms {
  /** Undefined until the first one has come. */
  readonly document: RealmsDocument | undefined;
  readonly liveness: Liveness;
}

const POLL_MS = 5_000;
/** After a stream was refused, the next one is tried so much later. */
const STREAM_AGAIN_MS = 60_000;

/** The list after a change: the entries that came take the place of those of the same name. */
export function applyChange(before: RealmsDocument, change: RealmsDocument): RealmsDocument {
  return { ...change, realms: before.realms.map((realm) => change.realms.find(({ name }) => name === realm.name) ?? realm) };
}

/** Follows the realms until the returned function is called. */
export function followRealms(tell: (state: LiveRealms) => void): () => void {
  let document: RealmsDocument | undefined;
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let streamAgainAt = 0;
  let following = 0;

  const stop = () => {
    following++;
    source?.close();
    source = undefined;
    clearTimeout(timer);
  };
  const poll = async (turn: number) => {
    let liveness: Liveness = 'polled';
    try {
      const answer = await fetch('/v1/realms', { cache: 'no-cache', headers: { accept: 'application/json' } });
      if (!answer.ok) throw new Error(String(answer.status));
      document = (await answer.json()) as RealmsDocument;
    } catch {
      liveness = 'lost';
    }
    if (turn !== following) return;
    tell({ document, liveness });
    timer = setTimeout(() => (Date.now() >= streamAgainAt ? start() : void poll(turn)), POLL_MS);
  };
  const start = () => {
    stop();
    const turn = following;
    source = new EventSource('/v1/events/realms');
    source.addEventListener('snapshot', (event) => {
      document = JSON.parse((event as MessageEvent<string>).data) as RealmsDocument;
      tell({ document, liveness: 'live' });
    });
    source.addEventListener('change', (event) => {
      const change = JSON.parse((event as MessageEvent<string>).data) as RealmsDocument;
      if (document) document = applyChange(document, change);
      tell({ document, liveness: 'live' });
    });
    source.addEventListener('error', () => {
      if (turn !== following) return;
      if (source?.readyState === EventSource.CLOSED) {
        streamAgainAt = Date.now() + STREAM_AGAIN_MS;
        void poll(turn);
      } else if (document === undefined) tell({ document, liveness: 'lost' });
    });
    source.addEventListener('open', () => {
      if (document) tell({ document, liveness: 'live' });
    });
  };
  const onVisibility = () => {
    if (globalThis.document.visibilityState === 'hidden') stop();
    else start();
  };
  globalThis.document.addEventListener('visibilitychange', onVisibility);
  if (globalThis.document.visibilityState !== 'hidden') start();
  return () => {
    globalThis.document.removeEventListener('visibilitychange', onVisibility);
    stop();
  };
}

export function useRealms(): LiveRealms {
  const [state, setState] = useState<LiveRealms>({ document: undefined, liveness: 'polled' });
  useEffect(() => followRealms(setState), []);
  return state;
}
