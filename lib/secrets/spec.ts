/**
 * What a component says of a Secret that it needs: where it is, its keys, and how each value comes to be.
 * It deliberately holds no value: values exist only sealed, in secrets/<cluster>/<namespace>/<name>.yaml.
 */

/** How the value of one key comes to be. */
export interface SecretKey {
  /**
   * Identity of the plaintext, such as `netcode/aurora/1`. Keys of the same identity have the same value, wherever they are:
   * a password that two namespaces need is made once and sealed twice.
   */
  readonly value: string;
  readonly source: /** Made by `npm run seal`: a password of letters and digits, or random bytes. */
    | { readonly generate: 'password' | 'random-32-bytes' | 'random-32-bytes-hex' }
    /** Known and not secret, but part of the Secret's format (a user name). */
    | { readonly literal: string }
    /** Only a person has it (an API token of somebody else's service): what to ask for. */
    | { readonly ask: string };
  /** What a new value does or asks for where the old one was used, as a whole sentence; said before a value is replaced. @default nothing worth saying */
  readonly whenReplaced?: string;
}

export interface SecretSpec {
  readonly namespace: string;
  readonly name: string;
  /** @default Opaque */
  readonly type?: 'Opaque' | 'kubernetes.io/basic-auth';
  readonly keys: Readonly<Record<string, SecretKey>>;
  /** Labels of the Secret that the controller makes. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the SealedSecret, such as the sync wave. @default none */
  readonly annotations?: Readonly<Record<string, string>>;
  /** What the Secret is for; shown by `npm run seal -- --list`. */
  readonly purpose: string;
  /** Keeps the SealedSecret (and so the Secret, which the controller owns through it) when it leaves Git: credentials of data. @default false */
  readonly protected?: boolean;
}

/** Where sealed values are read from. */
export interface SecretStore {
  /** Sealed values by key, or undefined when there is no file. */
  encryptedData(namespace: string, name: string): Readonly<Record<string, string>> | undefined;
  /** What else a synth should say of the store (the example's certificate is in use; files that nothing needs). */
  warnings(needed: readonly SecretSpec[]): readonly string[];
  /** When the next recovery drill is due (drill-due.ts). Undefined where there is nothing to prove. */
  drillDue(): Date | undefined;
}

/** A value that is needed and not sealed yet. */
export interface MissingSecret {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}
