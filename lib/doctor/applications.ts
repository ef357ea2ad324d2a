/**
 * Argo CD's Applications: all are there, nothing else is, and each is synced and healthy.
 * It deliberately repeats Argo CD's own judgement and adds none.
 */
import { ROOT } from '../../argocd/root';
import type { PlainObject } from '../emit/manifest';
import { type Finding, failed, type LiveGroup, ok, some, warning } from './types';

export const applications: LiveGroup = {
  name: 'argo cd',
  scope: 'live',
  look: async ({ list, built, cluster }) => {
    const objects = await list('applications.argoproj.io').catch((error: { failure?: string }) => {
      if (error.failure !== 'not-served') throw error;
      return undefined;
    });
    const first = `terraform -chdir=terraform/clusters/${cluster.name} apply`;
    if (objects === undefined) return [failed('argo-cd', 'Argo CD is not installed.', first)];
    const live = new Map(objects.map((object) => [object.metadata.name, object]));
    const wanted = [ROOT, ...built().applications.keys()];
    const missing = wanted.filter((name) => !live.has(name));
    if (missing.includes(ROOT))
      return [failed('argo-cd', 'Argo CD runs and does not know of this repository: the root Application is missing.', first)];
    const findings: Finding[] = [];
    if (missing.length > 0)
      findings.push(
        failed(
          'applications',
          `${missing.length} Applications are missing: ${some(missing)}.`,
          'kubectl -n argocd describe application root (it makes them, in waves)',
        ),
      );
    const troubled = wanted.flatMap((name) => {
      const object = live.get(name);
      const state = object === undefined ? undefined : stateOf(object);
      return state === undefined ? [] : [{ name, state }];
    });
    findings.push(
      ...troubled.map(({ name, state }) =>
        state.bad
          ? failed('applications', `Application ${name} is ${state.text}.`, `kubectl -n argocd describe application ${name}`)
          : warning(
              'applications',
              `Application ${name} is ${state.text}.`,
              `Wait; if it stays so: kubectl -n argocd describe application ${name}`,
            ),
      ),
    );
    const foreign = [...live.keys()].filter((name) => !wanted.includes(name));
    if (foreign.length > 0)
      findings.push(
        warning(
          'foreign-applications',
          `Git has no Application ${some(foreign)}.`,
          'If it was removed on purpose, run the commands that the synth printed then (docs/how-to/remove-a-realm.md).',
        ),
      );
    if (findings.length === 0) findings.push(ok('applications', `All ${wanted.length} Applications are synced and healthy.`));
    return findings;
  },
};

/** Undefined when all is well. A windowed Application that waits for its window is OutOfSync and healthy, which is worth a word and no alarm. */
function stateOf({ status }: PlainObject): { text: string; bad: boolean } | undefined {
  const sync = (status?.sync?.status ?? 'Unknown') as string;
  const health = (status?.health?.status ?? 'Unknown') as string;
  if (sync === 'Synced' && health === 'Healthy') return undefined;
  const conditions = (status?.conditions ?? []) as { type: string; message: string }[];
  const why =
    conditions.find(({ type }) => type.endsWith('Error'))?.message ??
    (status?.operationState?.phase === 'Failed' ? (status.operationState.message as string) : undefined);
  const passing = ['Progressing', 'Healthy', 'Suspended'].includes(health) && sync !== 'Unknown' && why === undefined;
  return { text: `${sync} and ${health}${why === undefined ? '' : `: ${why.split('\n')[0]?.slice(0, 200)}`}`, bad: !passing };
}
