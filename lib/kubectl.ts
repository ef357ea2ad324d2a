/**
 * The cluster as kubectl sees it, for commands that look and never change anything.
 * It deliberately is the operator's own program and no library: kubeconfigs, contexts and log-in plug-ins then work as they do by hand, and every
 * question can be asked again by hand (docs/decisions/0020-doctor-and-restore.md).
 */
import type { PlainObject } from './emit/manifest';
import type { RunProgram } from './programs';

export interface KubectlOptions {
  /** @default kubectl's own: KUBECONFIG, or ~/.kube/config */
  readonly kubeconfig?: string;
  /** @default the current one */
  readonly context?: string;
}

/**
 * Why there is no answer: no kubectl, nobody answers, the server refuses who asks, it serves no such kind, there is no such object, or something else.
 */
export type KubectlFailure = 'no-kubectl' | 'unreachable' | 'forbidden' | 'not-served' | 'not-found' | 'other';

export class KubectlError extends Error {
  constructor(
    readonly failure: KubectlFailure,
    message: string,
  ) {
    super(message);
    this.name = 'KubectlError';
  }
}

/** Asks a cluster. Every method throws KubectlError. */
export interface Kubectl {
  /** What kubectl prints. */
  text(args: readonly string[], input?: string): Promise<string>;
  /** What kubectl prints with `-o json`, which is added. */
  json<Answer>(args: readonly string[], input?: string): Promise<Answer>;
  /** Objects of a kind in all namespaces, or in one. @param kind as kubectl names it, such as `deployments.apps` */
  list(kind: string, namespace?: string): Promise<readonly PlainObject[]>;
}

const SECONDS = 20;

export function makeKubectl(run: RunProgram, { kubeconfig, context }: KubectlOptions = {}): Kubectl {
  const common = [
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--context', context]),
    `--request-timeout=${SECONDS}s`,
  ];
  const text = async (args: readonly string[], input?: string): Promise<string> => {
    const options = { seconds: 2 * SECONDS, ...(input === undefined ? {} : { input }) };
    const answer = await run('kubectl', [...common, ...args], options);
    if (answer === undefined) throw new KubectlError('no-kubectl', 'kubectl is not installed.');
    if (answer.code !== 0) throw new KubectlError(failureOf(answer.errors, answer.code), lastLine(answer.errors));
    return answer.output;
  };
  const json = async <Answer>(args: readonly string[], input?: string): Promise<Answer> =>
    JSON.parse(await text([...args, '-o', 'json'], input)) as Answer;
  return {
    text,
    json,
    list: async (kind, namespace) => {
      const where = namespace === undefined ? ['--all-namespaces'] : ['--namespace', namespace];
      return (await json<{ items: PlainObject[] }>(['get', kind, ...where])).items;
    },
  };
}

function failureOf(errors: string, code: number): KubectlFailure {
  if (/\(Forbidden\)|\(Unauthorized\)|must be logged in|provide credentials/i.test(errors)) return 'forbidden';
  if (/the server doesn't have a resource type|could not find the requested resource|no matches for kind/i.test(errors))
    return 'not-served';
  if (/\(NotFound\)/.test(errors)) return 'not-found';
  if (
    code === 124 ||
    /unable to connect|was refused|i\/o timeout|no such host|deadline exceeded|certificate|context .* does not exist|no configuration/i.test(
      errors,
    )
  )
    return 'unreachable';
  return 'other';
}

/** kubectl says what matters last, after the tries of its discovery. */
function lastLine(errors: string): string {
  const line = errors.trim().split('\n').at(-1) ?? '';
  const sentence = line.replace(/^(error: |E\d{4} .*?\] )/, '') || 'kubectl failed without a word';
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
}
