/**
 * The ways in: log in, create an account, choose a name after a provider's log-in, and get a new password.
 * It deliberately checks nothing that the server checks, except that a password was typed twice the same.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PageConfig } from '../../src/page/shell.ts';
import { api, Failure } from '../api.ts';
import { Action, CopyButton, Field, Form, failureText, Heading, Link, Notice, useAction } from '../parts.tsx';
import { texts } from '../texts.ts';

interface Entry {
  readonly config: PageConfig;
  /** Logged in; with the recovery codes of a new account. */
  readonly onEntered: (codes?: readonly string[]) => Promise<void>;
}

function Providers({ config }: { readonly config: PageConfig }) {
  const action = useAction((name: string) => api.openId(name, 'login'));
  if (config.openId.length === 0) return null;
  return (
    <div class="stack">
      <p class="or">{texts.logIn.or}</p>
      {action.failure !== undefined && <Notice tone="bad">{failureText(action.failure)}</Notice>}
      {config.openId.map(({ name, title }) => (
        <Action key={name} busy={action.busy} onClick={() => void action.run(name)}>
          {texts.logIn.with(title)}
        </Action>
      ))}
    </div>
  );
}

export function LogInView({ config, onEntered }: Entry) {
  return (
    <>
      <Heading>{texts.logIn.title}</Heading>
      <div class="card">
        <Form
          submit={texts.logIn.submit}
          onSubmit={async ({ name = '', password = '' }) => {
            await api.logIn(name, password);
            await onEntered();
          }}
        >
          {(mistake) => (
            <>
              <Field label={texts.logIn.name} name="name" autocomplete="username" required mistake={mistake('name')} />
              <Field
                label={texts.logIn.password}
                name="password"
                type="password"
                autocomplete="current-password"
                required
                mistake={mistake('password')}
              />
            </>
          )}
        </Form>
        <p>
          <Link to="/recover">{texts.logIn.forgotten}</Link>
        </p>
        <Providers config={config} />
      </div>
      {config.registration !== 'closed' && (
        <p>
          {texts.logIn.noAccount} <Link to="/register">{texts.register.title}</Link>
        </p>
      )}
    </>
  );
}

export function RegisterView({ config, onEntered }: Entry) {
  if (config.registration === 'closed') {
    return (
      <>
        <Heading>{texts.register.title}</Heading>
        <Notice>{texts.register.closed}</Notice>
      </>
    );
  }
  return (
    <>
      <Heading>{texts.register.title}</Heading>
      <div class="card">
        <Form
          submit={texts.register.submit}
          onSubmit={async ({ name = '', password = '', repeat, invite, email }) => {
            requireSame(password, repeat);
            const { recoveryCodes } = await api.register(name, password, invite, email);
            await onEntered(recoveryCodes);
          }}
        >
          {(mistake) => (
            <>
              <NewName mistake={mistake} />
              <NewPassword label={texts.register.password} name="password" mistake={mistake} />
              {config.registration === 'invite' && <Invite mistake={mistake} />}
              {config.mail && (
                <Field
                  label={texts.register.email}
                  hint={texts.register.emailHint}
                  name="email"
                  type="email"
                  autocomplete="email"
                  mistake={mistake('email')}
                />
              )}
            </>
          )}
        </Form>
        <Providers config={config} />
      </div>
      <p>
        {texts.register.haveAccount} <Link to="/log-in">{texts.logIn.title}</Link>
      </p>
    </>
  );
}

/** @throws Failure at the second field when they differ */
export function requireSame(password: string, repeat: string | undefined): void {
  if (repeat !== password)
    throw new Failure(422, 'invalid', texts.register.mismatch, { mistakes: [{ at: '/repeat', problem: texts.register.mismatch }] });
}

/** What the server found wrong with a field. */
interface Mistakes {
  readonly mistake: (field: string) => string | undefined;
}

/** @param suggested what it says at first. @default empty */
function NewName({ suggested = '', mistake }: Mistakes & { readonly suggested?: string }) {
  return (
    <Field
      label={texts.register.name}
      hint={texts.register.nameHint}
      name="name"
      autocomplete="username"
      required
      defaultValue={suggested}
      mistake={mistake('name')}
    />
  );
}

function Invite({ mistake }: Mistakes) {
  return (
    <Field
      label={texts.register.invite}
      hint={texts.register.inviteHint}
      name="invite"
      autocomplete="off"
      required
      mistake={mistake('invite')}
    />
  );
}

export function NewPassword({ label, name, mistake }: Mistakes & { readonly label: string; readonly name: string }) {
  return (
    <>
      <Field
        label={label}
        hint={texts.register.passwordHint}
        name={name}
        type="password"
        autocomplete="new-password"
        required
        mistake={mistake(name)}
      />
      <Field label={texts.register.repeat} name="repeat" type="password" autocomplete="new-password" required mistake={mistake('repeat')} />
    </>
  );
}

export function ChooseNameView({ onEntered }: Pick<Entry, 'onEntered'>) {
  const [pending, setPending] = useState<{ provider: string; suggestedName: string | null; inviteNeeded: boolean }>();
  const load = useAction(async () => setPending(await api.openIdPending()));
  useEffect(() => void load.run(), []);
  return (
    <>
      <Heading>{texts.chooseName.title}</Heading>
      {load.failure !== undefined && <Notice tone="bad">{failureText(load.failure)}</Notice>}
      {pending && (
        <div class="card">
          <p class="lead">{texts.chooseName.lead(pending.provider)}</p>
          <Form
            submit={texts.register.submit}
            onSubmit={async ({ name = '', invite }) => {
              const { recoveryCodes } = await api.openIdRegister(name, invite);
              await onEntered(recoveryCodes);
            }}
          >
            {(mistake) => (
              <>
                <NewName suggested={pending.suggestedName ?? ''} mistake={mistake} />
                {pending.inviteNeeded && <Invite mistake={mistake} />}
              </>
            )}
          </Form>
        </div>
      )}
    </>
  );
}

export function RecoveryCodes({ codes, onKept }: { readonly codes: readonly string[]; readonly onKept: () => void }) {
  const field = useRef<HTMLTextAreaElement>(null);
  return (
    <>
      <Heading>{texts.codes.title}</Heading>
      <div class="card">
        <p>{texts.codes.lead}</p>
        <ul class="codes">
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ul>
        <textarea class="hidden" aria-hidden="true" tabIndex={-1} readOnly ref={field} value={codes.join('\n')} />
        <div class="row">
          <Action class="primary" onClick={onKept}>
            {texts.codes.kept}
          </Action>
          <CopyButton text={codes.join('\n')} field={() => field.current} />
        </div>
      </div>
    </>
  );
}

export function RecoverView({ config, onDone }: { readonly config: PageConfig; readonly onDone: (text: string) => void }) {
  const [mailed, setMailed] = useState(false);
  return (
    <>
      <Heading>{texts.recover.title}</Heading>
      <div class="card">
        <p class="lead">{texts.recover.lead}</p>
        <Form
          submit={texts.recover.submit}
          onSubmit={async ({ name = '', recoveryCode = '', newPassword = '', repeat }) => {
            requireSame(newPassword, repeat);
            await api.resetByCode(name, recoveryCode, newPassword);
            onDone(texts.recover.done);
          }}
        >
          {(mistake) => (
            <>
              <Field label={texts.logIn.name} name="name" autocomplete="username" required mistake={mistake('name')} />
              <Field label={texts.recover.code} name="recoveryCode" autocomplete="off" required mistake={mistake('recoveryCode')} />
              <NewPassword label={texts.recover.newPassword} name="newPassword" mistake={mistake} />
            </>
          )}
        </Form>
      </div>
      {config.mail ? (
        <section class="card">
          <h2>{texts.recover.mailTitle}</h2>
          <p class="lead">{texts.recover.mailLead}</p>
          {mailed ? (
            <Notice tone="good">{texts.recover.mailDone}</Notice>
          ) : (
            <Form
              submit={texts.recover.mailSubmit}
              onSubmit={async ({ name = '' }) => {
                await api.mailReset(name);
                setMailed(true);
              }}
            >
              {(mistake) => <Field label={texts.logIn.name} name="name" autocomplete="username" required mistake={mistake('name')} />}
            </Form>
          )}
        </section>
      ) : (
        <p class="lead">{texts.recover.noMail}</p>
      )}
    </>
  );
}

export function ResetView({ token, onDone }: { readonly token: string | null; readonly onDone: (text: string) => void }) {
  return (
    <>
      <Heading>{texts.reset.title}</Heading>
      {token === null ? (
        <Notice tone="bad">{texts.reset.noToken}</Notice>
      ) : (
        <div class="card">
          <p class="lead">{texts.reset.lead}</p>
          <Form
            submit={texts.recover.submit}
            onSubmit={async ({ newPassword = '', repeat }) => {
              requireSame(newPassword, repeat);
              await api.resetByLink(token, newPassword);
              onDone(texts.recover.done);
            }}
          >
            {(mistake) => <NewPassword label={texts.recover.newPassword} name="newPassword" mistake={mistake} />}
          </Form>
        </div>
      )}
    </>
  );
}
