/**
 * The page as a whole: who is logged in, which view is shown, and the frame around it.
 * It deliberately leaves what a view does to the view.
 */
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { type Account, api, config, Failure, whenSessionIsLost } from './api.ts';
import { useRealms } from './live.ts';
import { Action, Announcer, announce, failureText, Link, Notice, type Tone } from './parts.tsx';
import { currentPath, go, type Path, usePath } from './router.ts';
import { texts } from './texts.ts';
import { AccountView } from './views/account.tsx';
import { CharactersView } from './views/characters.tsx';
import { ChooseNameView, LogInView, RecoverView, RecoveryCodes, RegisterView, ResetView } from './views/entry.tsx';
import { PlayView } from './views/play.tsx';
import { RealmsView } from './views/realms.tsx';

type Session =
  | { readonly state: 'unknown' }
  | { readonly state: 'none' }
  | { readonly state: 'failed'; readonly error: unknown }
  | { readonly state: 'open'; readonly account: Account };

/** What is told above the view until the next navigation. */
interface Message {
  readonly tone: Tone;
  readonly text: string;
}

/** What a link or a provider has put into the fragment; taken out at once, so that it is in no history. */
const fragment = new URLSearchParams(location.hash.slice(1));
if (['reset', 'confirm-email', 'openid'].some((key) => fragment.has(key))) {
  const path: Path = fragment.has('reset') ? '/reset' : fragment.get('openid') === 'choose-name' ? '/choose-name' : currentPath();
  history.replaceState(null, '', path);
}

function openIdMessage(): Message | undefined {
  if (fragment.get('openid') === 'linked') return { tone: 'good', text: texts.account.linked };
  if (fragment.get('openid') !== 'failed') return undefined;
  return { tone: 'bad', text: texts.logIn.openIdFailed[fragment.get('reason') ?? ''] ?? texts.logIn.openIdFailedOther };
}

/** Views for those who are not logged in. */
const ENTRY: readonly Path[] = ['/log-in', '/register', '/choose-name'];
const NEEDS_SESSION: readonly Path[] = ['/characters', '/account'];

export function App() {
  const path = usePath();
  const [settings] = useState(config);
  const [session, setSession] = useState<Session>({ state: 'unknown' });
  const [message, setMessage] = useState<Message | undefined>(openIdMessage);
  const [codes, setCodes] = useState<readonly string[] | undefined>();
  const realms = useRealms();

  const refresh = useCallback(async () => {
    try {
      setSession({ state: 'open', account: await api.account() });
    } catch (error) {
      setSession(error instanceof Failure && error.status === 401 ? { state: 'none' } : { state: 'failed', error });
    }
  }, []);
  const tell = useCallback((text: string, tone: Tone = 'good') => {
    setMessage({ text, tone });
    // A bad one is an alert already.
    if (tone !== 'bad') announce(text);
  }, []);

  useEffect(() => {
    void refresh();
    const token = fragment.get('confirm-email');
    if (token) {
      api.confirmEmail(token).then(
        () => tell(texts.email.confirmed),
        (error: unknown) => tell(failureText(error), 'bad'),
      );
    }
  }, [refresh, tell]);
  useEffect(() => {
    whenSessionIsLost(() => {
      setSession((before) => {
        if (before.state === 'open') tell(texts.failures.sessionLost, 'wait');
        return { state: 'none' };
      });
    });
  }, [tell]);
  // What was told belongs to the view that it was told in.
  const navigate = useCallback((to: Path, told?: Message) => {
    setMessage(told);
    if (told && told.tone !== 'bad') announce(told.text);
    go(to);
  }, []);

  const entered = async (made?: readonly string[]) => {
    await refresh();
    setCodes(made);
    navigate('/');
  };
  const left = (text: string) => {
    setSession({ state: 'none' });
    navigate('/', { tone: 'good', text });
  };
  useEffect(() => {
    if (session.state === 'none' && NEEDS_SESSION.includes(path)) go('/log-in', { replace: true });
    if (session.state === 'open' && ENTRY.includes(path)) go('/', { replace: true });
  }, [session.state, path]);

  const account = session.state === 'open' ? session.account : undefined;
  const view = (): ComponentChildren => {
    if (session.state === 'unknown') return <p class="lead">{texts.loading}</p>;
    if (session.state === 'failed') {
      return (
        <div class="stack">
          <Notice tone="bad">{failureText(session.error)}</Notice>
          <div>
            <Action class="primary" onClick={() => void refresh()}>
              {texts.again}
            </Action>
          </div>
          {path === '/' && <RealmsView realms={realms} />}
        </div>
      );
    }
    if (codes) return <RecoveryCodes codes={codes} onKept={() => setCodes(undefined)} />;
    if (path === '/recover') return <RecoverView config={settings} onDone={(text) => navigate('/log-in', { tone: 'good', text })} />;
    if (path === '/reset') {
      return (
        <ResetView
          token={fragment.get('reset')}
          onDone={(text) => {
            setSession({ state: 'none' });
            navigate('/log-in', { tone: 'good', text });
          }}
        />
      );
    }
    if (!account) {
      switch (path) {
        case '/register':
          return <RegisterView config={settings} onEntered={entered} />;
        case '/choose-name':
          return <ChooseNameView onEntered={entered} />;
        case '/':
          return <RealmsView realms={realms} />;
        default:
          return <LogInView config={settings} onEntered={entered} />;
      }
    }
    switch (path) {
      case '/characters':
        return <CharactersView realms={realms.document} tell={tell} />;
      case '/account':
        return <AccountView account={account} config={settings} tell={tell} refresh={refresh} onCodes={setCodes} onLeft={left} />;
      default:
        return <PlayView account={account} realms={realms} config={settings} tell={tell} />;
    }
  };

  const links: readonly (readonly [Path, string])[] = account
    ? [
        ['/', texts.nav.play],
        ['/characters', texts.nav.characters],
        ['/account', texts.nav.account],
      ]
    : [
        ['/', texts.nav.realms],
        ['/log-in', texts.nav.logIn],
        ...(settings.registration === 'closed' ? [] : [['/register', texts.nav.register] as const]),
      ];
  const narrow = !codes && !(path === '/' || (account && NEEDS_SESSION.includes(path)));
  return (
    <>
      <a class="skip" href="#content">
        {texts.skip}
      </a>
      <header class="top">
        <div>
          <Link to="/" class="brand">
            {texts.site}
          </Link>
          <nav aria-label={texts.nav.label}>
            <ul>
              {links.map(([to, text]) => (
                <li key={to}>
                  <Link to={to} {...(path === to ? { 'aria-current': 'page' as const } : {})} onClickCapture={() => setMessage(undefined)}>
                    {text}
                  </Link>
                </li>
              ))}
              {account && (
                <li>
                  <LogOut onLeft={left} tell={tell} />
                </li>
              )}
            </ul>
          </nav>
        </div>
      </header>
      <main id="content" tabIndex={-1} class={narrow ? 'narrow' : ''}>
        {message && <Notice tone={message.tone}>{message.text}</Notice>}
        {view()}
      </main>
      <footer>
        <p>
          {texts.footer}
          {settings.downloadUrl && (
            <>
              {' '}
              <a href={settings.downloadUrl}>{texts.download}</a>
            </>
          )}
        </p>
      </footer>
      <Announcer />
    </>
  );
}

function LogOut({ onLeft, tell }: { readonly onLeft: (text: string) => void; readonly tell: (text: string, tone: Tone) => void }) {
  const [busy, setBusy] = useState(false);
  const logOut = async () => {
    setBusy(true);
    try {
      await api.logOut();
      onLeft(texts.nav.loggedOut);
    } catch (error) {
      // A session that has ended already is what was asked for.
      if (error instanceof Failure && error.status === 401) onLeft(texts.nav.loggedOut);
      else tell(failureText(error), 'bad');
    } finally {
      setBusy(false);
    }
  };
  return (
    <Action class="quiet" busy={busy} onClick={() => void logOut()}>
      {texts.nav.logOut}
    </Action>
  );
}
