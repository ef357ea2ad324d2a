/**
 * Errors that the API answers with: RFC 9457 problem details.
 * It deliberately knows no routes; a route throws a `Problem`, and the application turns everything thrown into an answer.
 */

/** Every kind of problem of the API: the last part of its `type`, with its status and title. Clients act on `code`, people read `detail`. */
export const PROBLEMS = {
  'bad-request': [400, 'The request is malformed.'],
  'not-logged-in': [401, 'A session is needed.'],
  'wrong-credentials': [401, 'The name or the password is wrong.'],
  'not-allowed': [403, 'This account may not do that.'],
  'wrong-origin': [403, 'The request comes from another site.'],
  banned: [403, 'This account or address is banned.'],
  'registration-closed': [403, 'Accounts cannot be made here.'],
  'invite-invalid': [403, 'The invitation is not valid.'],
  'fresh-login-needed': [403, 'Prove again that it is you.'],
  'not-on-roster': [403, 'This instance is for others.'],
  'not-found': [404, 'There is no such thing.'],
  conflict: [409, 'The request does not fit the present state.'],
  'name-taken': [409, 'The name is taken.'],
  'client-outdated': [409, 'The client does not fit the server.'],
  'stale-epoch': [409, 'The character has moved on.'],
  'claim-refused': [409, 'The session may not enter.'],
  'too-large': [413, 'The request is too large.'],
  'unsupported-media-type': [415, 'The body must be JSON.'],
  invalid: [422, 'The request has mistakes.'],
  'too-many-requests': [429, 'Too many requests.'],
  'too-many-failures': [429, 'Too many failed attempts.'],
  internal: [500, 'The broker failed.'],
  unavailable: [503, 'Not available at the moment.'],
  'realm-unavailable': [503, 'The realm cannot be entered at the moment.'],
  'queue-full': [503, 'No more players can wait.'],
  'claim-waits': [409, 'The earlier session has not been let go yet.'],
  'instance-unavailable': [503, 'The instance cannot be entered at the moment.'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What an answer may carry beside the members of RFC 9457; values are JSON. */
export type ProblemMembers = Readonly<Record<string, unknown>>;

export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly members: ProblemMembers;
  /** Seconds until a retry makes sense: the header Retry-After. */
  readonly retryAfterSeconds: number | undefined;

  /** @param detail a sentence for the person who made the request; never a secret, never something about another account */
  constructor(code: ProblemCode, detail: string, options: { readonly members?: ProblemMembers; readonly retryAfterSeconds?: number } = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.status = PROBLEMS[code][0];
    this.title = PROBLEMS[code][1];
    this.members = options.members ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** The body of the answer. `type` is a URN, because it names and does not locate (RFC 9457, section 3.1.1). */
  body(instance: string): Record<string, unknown> {
    return {
      ...this.members,
      type: `urn:connect-broker:problem:${this.code}`,
      title: this.title,
      status: this.status,
      code: this.code,
      detail: this.message,
      instance,
      ...(this.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: this.retryAfterSeconds }),
    };
  }
}

/** Media type of the body (RFC 9457, section 3). */
export const PROBLEM_TYPE = 'application/problem+json';
