/**
 * What every view is made of: fields with labels and mistakes, buttons that work once at a time, notices, dialogs, announcements.
 * It deliberately knows nothing of accounts or realms.
 */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Failure } from './api.ts';
import { onLinkClick, type Path } from './router.ts';
import { texts } from './texts.ts';

/** Tells those who listen instead of looking; one region for the whole page, because regions that come and go stay silent. */
let announcer: HTMLElement | null = null;
export function announce(text: string): void {
  const region = announcer;
  if (!region) return;
  region.textContent = '';
  // The same text twice in a row is told twice only when it was gone between.
  setTimeout(() => {
    region.textContent = text;
  }, 50);
}

export const Announcer = () => (
  <p
    class="hidden"
    role="status"
    ref={(element: HTMLElement | null) => {
      announcer = element;
    }}
  />
);

export function Link({
  to,
  children,
  ...rest
}: { readonly to: Path; readonly children: ComponentChildren } & JSX.HTMLAttributes<HTMLAnchorElement>) {
  return (
    <a href={to} onClick={onLinkClick} {...rest}>
      {children}
    </a>
  );
}

/** The view's heading takes the focus when the view is new, so that keyboards and screen readers begin there. */
export function Heading({ children }: { readonly children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} – ${texts.site}`;
    if (firstView) firstView = false;
    else heading.current?.focus();
  }, [children]);
  return (
    <h1 tabIndex={-1} ref={heading}>
      {children}
    </h1>
  );
}
let firstView = true;

export type Tone = 'plain' | 'good' | 'wait' | 'bad';

/** Part of the page from the start, or a mistake that just happened (`bad` is read out at once). */
export const Notice = ({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ComponentChildren }) => (
  <div class={`notice ${tone}`} {...(tone === 'bad' ? { role: 'alert' } : {})}>
    {children}
  </div>
);

export interface FieldProps extends Omit<JSX.HTMLAttributes<HTMLInputElement>, 'label'> {
  readonly label: string;
  readonly name: string;
  readonly type?: string;
  readonly hint?: string | undefined;
  readonly mistake?: string | undefined;
  readonly autocomplete?: string;
  readonly required?: boolean;
  readonly defaultValue?: string;
}

export function Field({ label, hint, mistake, name, ...input }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, mistake && `${id}-wrong`].filter(Boolean).join(' ');
  return (
    <div>
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        autoCapitalize="none"
        spellcheck={false}
        {...(described ? { 'aria-describedby': described } : {})}
        {...(mistake ? { 'aria-invalid': 'true' } : {})}
        {...input}
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {mistake && (
        <p class="wrong" id={`${id}-wrong`}>
          {mistake}
        </p>
      )}
    </div>
  );
}

export function Choice({
  label,
  options,
  ...select
}: {
  readonly label: string;
  readonly name?: string;
  readonly value?: string | undefined;
  readonly options: readonly (readonly [value: string, text: string])[];
} & JSX.HTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  return (
    <div>
      <label for={id}>{label}</label>
      <select id={id} {...select}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** What went wrong, as a sentence for the person at the page. */
export const failureText = (error: unknown): string => (error instanceof Failure ? error.message : texts.failures.unknown);

/** Work that a button or a form starts: once at a time, its failure kept to be shown. */
export function useAction<Args extends readonly unknown[]>(work: (...args: Args) => Promise<unknown>) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(undefined);
  const running = useRef(false);
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const run = async (...args: Args): Promise<void> => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setFailure(undefined);
    try {
      await work(...args);
    } catch (error) {
      if (!(error instanceof Failure)) console.error(error);
      if (here.current) setFailure(error);
    } finally {
      running.current = false;
      if (here.current) setBusy(false);
    }
  };
  return { run, busy, failure };
}

/** A button that stays focusable while it works: a disabled one would lose the focus. */
export function Action({
  busy = false,
  children,
  class: name,
  onClick,
  ...rest
}: { readonly busy?: boolean; readonly children: ComponentChildren } & JSX.HTMLAttributes<HTMLButtonElement> & {
    readonly type?: 'button' | 'submit';
  }) {
  return (
    <button
      type="button"
      class={name}
      {...(busy ? { 'aria-disabled': 'true' } : {})}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
      {...rest}
    >
      {children}
    </button>
  );
}

export type Values = Readonly<Record<string, string>>;

/** A form whose mistakes stand at their fields when the server names them, and above the form otherwise. */
export function Form({
  submit,
  onSubmit,
  danger = false,
  children,
  label,
}: {
  /** Text of the button. */
  readonly submit: string;
  readonly onSubmit: (values: Values) => Promise<unknown>;
  readonly danger?: boolean;
  readonly label?: string;
  readonly children: (mistake: (field: string) => string | undefined) => ComponentChildren;
}) {
  const form = useRef<HTMLFormElement>(null);
  const [known, setKnown] = useState<readonly string[]>([]);
  const action = useAction(onSubmit);
  const mistakes = action.failure instanceof Failure ? action.failure.mistakes : {};
  const elsewhere = Object.keys(mistakes).some((field) => !known.includes(field));
  useEffect(() => {
    if (action.failure !== undefined) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [action.failure]);
  return (
    <form
      ref={form}
      class="stack"
      {...(label ? { 'aria-label': label } : {})}
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget as HTMLFormElement);
        const values = Object.fromEntries([...data].map(([name, value]) => [name, String(value)]));
        setKnown(Object.keys(values));
        void action.run(values);
      }}
    >
      {action.failure !== undefined && (elsewhere || Object.keys(mistakes).length === 0) && (
        <Notice tone="bad">{failureText(action.failure)}</Notice>
      )}
      {children((field) => mistakes[field])}
      <div>
        <Action type="submit" class={danger ? 'danger' : 'primary'} busy={action.busy}>
          {action.busy ? texts.busy : submit}
        </Action>
      </div>
    </form>
  );
}

/** A question before something that cannot be undone. The browser keeps the focus inside, and gives it back. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <div class="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

const when = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
export const dateText = (iso: string): string => when.format(new Date(iso));

/** Copies, and says so. Without the clipboard (an address that is not secure) the text is selected, to be copied by hand. */
export function CopyButton({
  text,
  field,
  class: name,
}: {
  readonly text: string;
  readonly field: () => HTMLTextAreaElement | null;
  readonly class?: string;
}) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(texts.copied);
      setTimeout(() => setCopied(false), 3000);
    } catch {
      field()?.focus();
      field()?.select();
      announce(texts.copyByHand);
    }
  };
  return (
    <Action class={name} onClick={() => void copy()}>
      {copied ? texts.copied : texts.copy}
    </Action>
  );
}
