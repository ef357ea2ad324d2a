/**
 * One's account: where it is logged in, its password and the ways back into it, its data, and its end.
 * It deliberately has a card for each, and each card its own form.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageConfig } from '../../src/page/shell.ts';
import { type Account, api, type Identity, type SessionEntry } from '../api.ts';
import { Action, Dialog, dateText, Field, Form, failureText, Heading, Notice, type Tone, useAction } from '../parts.tsx';
import { texts } from '../texts.ts';
import { NewPassword, requireSame } from './entry.tsx';

interface Props {
  readonly account: Account;
  readonly config: PageConfig;
  readonly tell: (text: string, tone?: Tone) => void;
  /** Reads the account anew. */
  readonly refresh: () => Promise<void>;
  readonly onCodes: (codes: readonly string[]) => void;
  /** Logged out, with what is told about it. */
  readonly onLeft: (text: string) => void;
}

/** A password that proves who is there; an account without one proves it by a fresh log-in. */
const Proof = ({
  account,
  mistake,
  name = 'password',
}: {
  readonly account: Account;
  readonly mistake: string | undefined;
  readonly name?: string;
}) =>
  account.hasPassword ? (
    <Field label={texts.account.current} name={name} type="password" autocomplete="current-password" required mistake={mistake} />
  ) : null;

export function AccountView(props: Props) {
  const { account, config } = props;
  return (
    <>
      <div>
        <Heading>{texts.account.title}</Heading>
        <p class="lead">{texts.account.lead(account.name)}</p>
      </div>
      <div class="columns">
        <div class="stack">
          <Sessions {...props} />
          {config.openId.length > 0 && <Identities {...props} />}
          <Data {...props} />
        </div>
        <div class="stack">
          <Password {...props} />
          <Codes {...props} />
          {config.mail && <Email {...props} />}
        </div>
      </div>
    </>
  );
}

function Sessions({ onLeft }: Props) {
  const [sessions, setSessions] = useState<readonly SessionEntry[]>([]);
  const load = useAction(async () => setSessions(await api.sessions()));
  useEffect(() => void load.run(), []);
  const end = useAction(async ({ id, current }: SessionEntry) => {
    await api.endSession(id);
    if (current) onLeft(texts.nav.loggedOut);
    else setSessions(await api.sessions());
  });
  const everywhere = useAction(async () => {
    await api.logOutEverywhere();
    onLeft(texts.nav.loggedOut);
  });
  const failure = load.failure ?? end.failure ?? everywhere.failure;
  return (
    <section class="card">
      <h2>{texts.account.sessions}</h2>
      {failure !== undefined && <Notice tone="bad">{failureText(failure)}</Notice>}
      <ul class="list">
        {sessions.map((session) => {
          const device = session.device || texts.account.unnamed[session.kind];
          return (
            <li key={session.id}>
              <div>
                <p>{device}</p>
                <p class="soft">{session.current ? texts.account.thisOne : texts.account.lastUsed(dateText(session.lastUsedAt))}</p>
              </div>
              <Action
                busy={end.busy}
                aria-label={texts.account.endNamed(session.current ? texts.account.thisOne : device)}
                onClick={() => void end.run(session)}
              >
                {texts.account.end}
              </Action>
            </li>
          );
        })}
      </ul>
      <div>
        <Action class="danger" busy={everywhere.busy} onClick={() => void everywhere.run()}>
          {texts.account.everywhere}
        </Action>
      </div>
    </section>
  );
}

function Password({ account, tell, refresh }: Props) {
  const [changed, setChanged] = useState(0);
  return (
    <section class="card">
      <h2>{account.hasPassword ? texts.account.password : texts.account.firstPassword}</h2>
      <Form
        key={changed}
        submit={texts.account.submitPassword}
        onSubmit={async ({ currentPassword, newPassword = '', repeat }) => {
          requireSame(newPassword, repeat);
          const { sessionsEnded } = await api.changePassword(currentPassword, newPassword);
          await refresh();
          setChanged((count) => count + 1);
          tell(texts.account.passwordDone(sessionsEnded));
        }}
      >
        {(mistake) => (
          <>
            {/* So that password managers know whose it is. */}
            <input class="hidden" tabIndex={-1} aria-hidden="true" autocomplete="username" readOnly value={account.name} />
            <Proof account={account} name="currentPassword" mistake={mistake('currentPassword')} />
            <NewPassword label={texts.account.new} name="newPassword" mistake={mistake} />
          </>
        )}
      </Form>
    </section>
  );
}

function Codes({ account, refresh, onCodes }: Props) {
  return (
    <section class="card">
      <h2>{texts.account.codes}</h2>
      <p class="lead">
        {texts.account.codesLeft(account.recoveryCodesLeft)} {account.recoveryCodesLeft > 0 && texts.account.newCodesHint}
      </p>
      <Form
        submit={texts.account.newCodes}
        onSubmit={async ({ password }) => {
          const codes = await api.newRecoveryCodes(password);
          await refresh();
          onCodes(codes);
        }}
      >
        {(mistake) => <Proof account={account} mistake={mistake('password')} />}
      </Form>
    </section>
  );
}

function Email({ account, tell, refresh }: Props) {
  return (
    <section class="card">
      <h2>{texts.email.title}</h2>
      <p class="lead">{texts.email.lead}</p>
      <p>{account.email === null ? texts.email.none : texts.email.stored(account.email, account.emailConfirmed)}</p>
      <Form
        submit={texts.email.submit}
        onSubmit={async ({ email = '', password }) => {
          const { confirmationSent } = await api.setEmail(email.trim() === '' ? null : email.trim(), password);
          await refresh();
          tell(texts.email.done(confirmationSent));
        }}
      >
        {(mistake) => (
          <>
            <Field label={texts.email.field} name="email" type="email" autocomplete="email" mistake={mistake('email')} />
            <Proof account={account} mistake={mistake('password')} />
          </>
        )}
      </Form>
    </section>
  );
}

function Identities({ account, config, tell }: Props) {
  const [identities, setIdentities] = useState<readonly Identity[]>([]);
  const load = useAction(async () => setIdentities(await api.identities()));
  useEffect(() => void load.run(), []);
  const proof = useRef<HTMLFormElement>(null);
  const password = () => (proof.current && String(new FormData(proof.current).get('password') ?? '')) || undefined;
  const link = useAction((provider: string) => api.openId(provider, 'link', password()));
  const unlink = useAction(async (id: string) => {
    await api.unlink(id, password());
    setIdentities(await api.identities());
    tell(texts.account.identities);
  });
  const failure = load.failure ?? link.failure ?? unlink.failure;
  return (
    <section class="card">
      <h2>{texts.account.identities}</h2>
      {failure !== undefined && <Notice tone="bad">{failureText(failure)}</Notice>}
      {identities.length === 0 && <p class="lead">{texts.account.noIdentities}</p>}
      <form ref={proof} onSubmit={(event) => event.preventDefault()}>
        <Proof account={account} mistake={undefined} />
      </form>
      <ul class="list">
        {identities.map((identity) => (
          <li key={identity.id}>
            <div>
              <p>{identity.provider?.title ?? identity.issuer}</p>
              <p class="soft">{identity.title}</p>
            </div>
            <Action
              busy={unlink.busy}
              aria-label={texts.account.unlinkNamed(identity.provider?.title ?? identity.issuer)}
              onClick={() => void unlink.run(identity.id)}
            >
              {texts.account.unlink}
            </Action>
          </li>
        ))}
      </ul>
      <div class="row">
        {config.openId.map(({ name, title }) => (
          <Action key={name} busy={link.busy} onClick={() => void link.run(name)}>
            {texts.account.link(title)}
          </Action>
        ))}
      </div>
    </section>
  );
}

function Data({ account, onLeft }: Props) {
  const [deleting, setDeleting] = useState(false);
  const download = useAction(async () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(await api.export(), null, 2)], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = 'account.json';
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
  return (
    <section class="card">
      <h2>{texts.account.data}</h2>
      <p class="lead">{texts.account.exportLead}</p>
      {download.failure !== undefined && <Notice tone="bad">{failureText(download.failure)}</Notice>}
      <div>
        <Action busy={download.busy} onClick={() => void download.run()}>
          {texts.account.export}
        </Action>
      </div>
      <p class="lead">
        {texts.account.delete}: {texts.account.deleteLead}
      </p>
      <div>
        <Action class="danger" onClick={() => setDeleting(true)}>
          {texts.account.delete}
        </Action>
      </div>
      {deleting && (
        <Dialog title={texts.account.deleteTitle} onClose={() => setDeleting(false)}>
          <p>{texts.account.deleteText}</p>
          <Form
            danger
            submit={texts.account.deleteConfirm}
            onSubmit={async ({ password }) => {
              await api.deleteAccount(password);
              onLeft(texts.account.deleted);
            }}
          >
            {(mistake) => <Proof account={account} mistake={mistake('password')} />}
          </Form>
          <div>
            <Action onClick={() => setDeleting(false)}>{texts.cancel}</Action>
          </div>
        </Dialog>
      )}
    </section>
  );
}
