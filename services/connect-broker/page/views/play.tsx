/**
 * Entering: choose a character and a realm, wait if one has to, and get the token.
 * It deliberately gives no token by itself at the end of a queue: it lives for half a minute, and the player may not be there.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageConfig } from '../../src/page/shell.ts';
import type { RealmStatus } from '../../src/realms/document.ts';
import { type Account, api, type Character, type Connected, Failure, type Token, type Waiting } from '../api.ts';
import type { LiveRealms } from '../live.ts';
import { Action, announce, Choice, CopyButton, failureText, Heading, Link, Notice, type Tone, useAction } from '../parts.tsx';
import { texts } from '../texts.ts';
import { RealmList } from './realms.tsx';

/** Where somebody wants to go; connecting again is the same request. */
interface Target {
  readonly title: string;
  readonly connect: () => Promise<Connected<unknown>>;
}
type Stage =
  | { readonly at: 'choosing' }
  | { readonly at: 'queue'; readonly wait: Waiting }
  | { readonly at: 'instance'; readonly target: Target }
  | { readonly at: 'token'; readonly target: Target; readonly token: Token };

/** Where a connect makes sense: an answer is either a token or a place in the queue. */
const OPEN: readonly RealmStatus[] = ['online', 'full', 'starting', 'asleep'];

export function PlayView({
  account,
  realms,
  config,
  tell,
}: {
  readonly account: Account;
  readonly realms: LiveRealms;
  readonly config: PageConfig;
  readonly tell: (text: string, tone?: Tone) => void;
}) {
  const [characters, setCharacters] = useState<readonly Character[]>();
  const [chosen, setChosen] = useState<string>();
  const [stage, setStage] = useState<Stage>({ at: 'choosing' });
  const load = useAction(async () => {
    const [{ characters: list }, wait] = await Promise.all([api.characters(), api.queue()]);
    setCharacters(list);
    setChosen((before) => before ?? wait?.characterId ?? list[0]?.id);
    // Somebody who waits and comes back to the page goes on waiting.
    if (wait) setStage({ at: 'queue', wait });
  });
  useEffect(() => void load.run(), []);

  const realmTarget = (realm: string, continent: string, characterId: string): Target => {
    const entry = realms.document?.realms.find(({ name }) => name === realm);
    const title = entry?.continents.find(({ name }) => name === continent)?.title ?? continent;
    return { title: `${title}, ${entry?.title ?? realm}`, connect: () => api.enter(realm, continent, characterId) };
  };
  const enter = useAction(async (target: Target, kind: 'realm' | 'instance') => {
    const answer = await target.connect();
    if ('token' in answer) setStage({ at: 'token', target, token: answer.token });
    else setStage(kind === 'realm' ? { at: 'queue', wait: answer.wait as Waiting } : { at: 'instance', target });
  });
  const back = () => setStage({ at: 'choosing' });
  const character = characters?.find(({ id }) => id === chosen);

  return (
    <>
      <div>
        <Heading>{texts.play.title}</Heading>
        <p class="lead">{texts.play.lead(account.name)}</p>
      </div>
      {load.failure !== undefined && <Notice tone="bad">{failureText(load.failure)}</Notice>}
      {enter.failure !== undefined && <EnterFailure error={enter.failure} />}
      {stage.at === 'token' && (
        <TokenPanel
          key={stage.token.clientId}
          target={stage.target}
          token={stage.token}
          busy={enter.busy}
          onAgain={() => void enter.run(stage.target, 'realm')}
          onDone={back}
        />
      )}
      {stage.at === 'queue' && (
        <QueuePanel
          wait={stage.wait}
          title={realmTarget(stage.wait.realm, stage.wait.continent, stage.wait.characterId).title}
          busy={enter.busy}
          onEnter={() => void enter.run(realmTarget(stage.wait.realm, stage.wait.continent, stage.wait.characterId), 'realm')}
          onLeft={(text, tone) => {
            back();
            tell(text, tone);
          }}
        />
      )}
      {stage.at === 'instance' && (
        <InstancePanel target={stage.target} onToken={(token) => setStage({ at: 'token', target: stage.target, token })} onCancel={back} />
      )}
      {characters?.length === 0 && (
        <div class="card">
          <p>{texts.play.noCharacter}</p>
          <div>
            <Link to="/characters" class="button primary">
              {texts.play.makeCharacter}
            </Link>
          </div>
        </div>
      )}
      {characters && characters.length > 0 && stage.at === 'choosing' && (
        <div class="card">
          <Choice
            label={texts.play.character}
            value={chosen}
            onChange={(event) => setChosen(event.currentTarget.value)}
            options={characters.map(({ id, name }) => [id, name])}
          />
          {character?.playing && <p class="soft">{texts.play.alreadyPlaying}</p>}
        </div>
      )}
      <RealmList
        realms={realms}
        action={(realm, continent) => {
          if (!character || stage.at !== 'choosing' || !OPEN.includes(continent.status)) return null;
          const target = realmTarget(realm.name, continent.name, character.id);
          const waits = continent.status !== 'online';
          return (
            <Action
              class={waits ? '' : 'primary'}
              busy={enter.busy}
              aria-label={(waits ? texts.realms.waitNamed : texts.realms.enterNamed)(target.title)}
              onClick={() => void enter.run(target, 'realm')}
            >
              {waits ? texts.realms.wait : texts.realms.enter}
            </Action>
          );
        }}
      />
      {character && stage.at === 'choosing' && config.instances.length > 0 && (
        <section class="card">
          <h2>{texts.play.instances}</h2>
          <p class="lead">{texts.play.instancesLead}</p>
          <ul class="list">
            {config.instances.map(({ name, title }) => (
              <li key={name}>
                <h3>{title}</h3>
                <Action
                  busy={enter.busy}
                  aria-label={texts.realms.enterNamed(title)}
                  onClick={() => void enter.run({ title, connect: () => api.enterInstance(name, character.id) }, 'instance')}
                >
                  {texts.realms.enter}
                </Action>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** A refusal to enter; an outdated client is told where the right one is. */
function EnterFailure({ error }: { readonly error: unknown }) {
  const required = error instanceof Failure ? (error.members.required as { downloadUrl?: string } | undefined) : undefined;
  return (
    <Notice tone="bad">
      {failureText(error)} {required?.downloadUrl && <a href={required.downloadUrl}>{texts.download}</a>}
    </Notice>
  );
}

/** A panel's heading takes the focus when the panel appears. */
function PanelHeading({ children }: { readonly children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [children]);
  return (
    <h2 ref={heading} tabIndex={-1}>
      {children}
    </h2>
  );
}

function TokenPanel({
  target,
  token,
  busy,
  onAgain,
  onDone,
}: {
  readonly target: Target;
  readonly token: Token;
  readonly busy: boolean;
  readonly onAgain: () => void;
  readonly onDone: () => void;
}) {
  const [left, setLeft] = useState(() => secondsUntil(token.endsAt));
  const [encoding, setEncoding] = useState<'standard' | 'renet'>('standard');
  const field = useRef<HTMLTextAreaElement>(null);
  const expired = left <= 0;
  useEffect(() => announce(texts.token.ready), []);
  useEffect(() => {
    const timer = setInterval(() => setLeft(secondsUntil(token.endsAt)), 1000);
    return () => clearInterval(timer);
  }, [token.endsAt]);
  useEffect(() => {
    if (expired) announce(texts.token.expired);
  }, [expired]);
  const text = encoding === 'renet' ? token.renet : token.token;
  return (
    <section class="card" aria-labelledby="token-title">
      <div id="token-title">
        <PanelHeading>{texts.token.title}</PanelHeading>
      </div>
      {expired ? (
        <Notice tone="wait">{texts.token.expired}</Notice>
      ) : (
        <>
          <p>{texts.token.lead(target.title)}</p>
          <Choice
            label={texts.token.encoding}
            value={encoding}
            onChange={(event) => setEncoding(event.currentTarget.value === 'renet' ? 'renet' : 'standard')}
            options={Object.entries(texts.token.encodings)}
          />
          <div>
            <label for="token">{texts.token[encoding]}</label>
            <textarea id="token" ref={field} readOnly rows={4} spellcheck={false} value={text} />
            <p class="hint">
              {texts.token.left(left)} · {texts.token.clientId} {token.clientId}
            </p>
          </div>
        </>
      )}
      <div class="row">
        {expired ? (
          <Action class="primary" busy={busy} onClick={onAgain}>
            {texts.token.again}
          </Action>
        ) : (
          <CopyButton class="primary" text={text} field={() => field.current} />
        )}
        <Action onClick={onDone}>{texts.token.done}</Action>
      </div>
      <details>
        <summary>{texts.token.how}</summary>
        <p class="soft">{texts.token.howText}</p>
      </details>
    </section>
  );
}

const secondsUntil = (time: number): number => Math.ceil((time - Date.now()) / 1000);

const POLL_MS = 5_000;

/** The own entry in the queue, by stream or by asking. */
function QueuePanel({
  wait: first,
  title,
  busy,
  onEnter,
  onLeft,
}: {
  readonly wait: Waiting;
  readonly title: string;
  readonly busy: boolean;
  readonly onEnter: () => void;
  readonly onLeft: (text: string, tone: Tone) => void;
}) {
  const [wait, setWait] = useState(first);
  const left = useRef(onLeft);
  left.current = onLeft;
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const gone = () => {
      if (!over) left.current(texts.queue.gone, 'wait');
    };
    const poll = async () => {
      try {
        const state = await api.queue();
        if (over) return;
        if (!state) return gone();
        setWait(state);
      } catch {
        // The next try tells; an entry is kept for a minute.
      }
      if (!over) timer = setTimeout(() => void poll(), POLL_MS);
    };
    const source = new EventSource('/v1/events/queue');
    source.addEventListener('queue', (event) => setWait(JSON.parse((event as MessageEvent<string>).data) as Waiting));
    source.addEventListener('gone', () => {
      source.close();
      gone();
    });
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED && !over) void poll();
    });
    return () => {
      over = true;
      source.close();
      clearTimeout(timer);
    };
  }, []);
  const ready = wait.state === 'ready';
  useEffect(() => {
    if (!ready) announce(texts.queue.announce(wait.position));
  }, [ready, wait.position]);
  const leave = useAction(async () => {
    await api.leaveQueue();
    onLeft(texts.queue.left, 'good');
  });
  return (
    <section class="card" aria-labelledby="queue-title">
      <div id="queue-title">
        <PanelHeading>{ready ? texts.queue.yourTurn : texts.queue.title}</PanelHeading>
      </div>
      <p class="lead">{texts.queue.place(title)}</p>
      {ready ? (
        <div class="notice good" role="alert">
          {texts.queue.yourTurn} {texts.queue.yourTurnText}
        </div>
      ) : (
        <>
          <p>
            <span class="soft">{texts.queue.position}</span>
            <br />
            <span class="place">{wait.position}</span> <span class="soft">{texts.queue.of(wait.waiting)}</span>
          </p>
          <p>
            {wait.state === 'queued'
              ? texts.queue.estimate(wait.estimateSeconds)
              : texts.queue[wait.state === 'asleep' ? 'asleep' : 'starting']}
          </p>
          <p class="soft">{texts.queue.keep}</p>
        </>
      )}
      {leave.failure !== undefined && <Notice tone="bad">{failureText(leave.failure)}</Notice>}
      <div class="row">
        {ready && (
          <Action class="primary" busy={busy} onClick={onEnter}>
            {texts.queue.getToken}
          </Action>
        )}
        <Action busy={leave.busy} onClick={() => void leave.run()}>
          {texts.queue.leave}
        </Action>
      </div>
    </section>
  );
}

function InstancePanel({
  target,
  onToken,
  onCancel,
}: {
  readonly target: Target;
  readonly onToken: (token: Token) => void;
  readonly onCancel: () => void;
}) {
  const [error, setError] = useState<unknown>();
  const give = useRef(onToken);
  give.current = onToken;
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const answer = await target.connect();
        if (over) return;
        if ('token' in answer) return give.current(answer.token);
        const seconds = (answer.wait as { pollAfterSeconds?: number }).pollAfterSeconds ?? 2;
        timer = setTimeout(() => void ask(), seconds * 1000);
      } catch (failure) {
        if (!over) setError(failure);
      }
    };
    timer = setTimeout(() => void ask(), 2000);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [target]);
  return (
    <section class="card">
      <PanelHeading>{texts.instance.starting(target.title)}</PanelHeading>
      {error === undefined ? <p class="lead">{texts.instance.text}</p> : <EnterFailure error={error} />}
      <div>
        <Action onClick={onCancel}>{texts.instance.cancel}</Action>
      </div>
    </section>
  );
}
