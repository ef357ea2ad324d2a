/**
 * Guards changes that the API server refuses: fields of a StatefulSet that are frozen once it exists, above all its claim templates.
 * With server-side diff one such change turns its whole Application to Unknown and nothing of it is synced any more (measured, Argo CD 3.2.11), so the
 * synth refuses it and prints the way that works. Of a database only a smaller volume is refused: its operator grows one by itself.
 * It deliberately is the short list of what happens here, not every immutable field of Kubernetes.
 */
import type { PlainObject } from './emit/manifest';
import { readObject } from './emit/read';
import { quantityValue } from './model/quantities';

/** What may change in a StatefulSet's spec (Kubernetes' own list: ValidateStatefulSetUpdate); everything else is frozen. */
const MUTABLE = new Set([
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]);

export interface FrozenFieldsOptions {
  /** Whether claims of the cluster's storage class can grow, by the cluster's name. */
  readonly expandable: ReadonlyMap<string, boolean>;
  /** `StatefulSet/<namespace>/<name>` that the operator has orphaned on purpose (`npm run synth -- --orphaned …`). */
  readonly orphaned: readonly string[];
}

/** A refusal for each changed file that an API server would refuse; empty when all may be written. */
export function judgeFrozenFields(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  changed: readonly string[],
  options: FrozenFieldsOptions,
): string[] {
  return changed
    .filter((path) => /\/(?:StatefulSet|Cluster)\.[^/]+\.yaml$/.test(path))
    .flatMap((path) => {
      const [old, next] = [readObject(before.get(path)), readObject(after.get(path))];
      if (!old?.spec || !next) return [];
      const refusal = next.kind === 'StatefulSet' ? refusalOf(path, old, next, options) : smallerDatabase(path, old, next);
      return refusal ? [refusal] : [];
    });
}

function refusalOf(path: string, old: PlainObject, next: PlainObject, options: FrozenFieldsOptions): string | undefined {
  const { name, namespace } = next.metadata;
  const fields = [...new Set([...Object.keys(old.spec), ...Object.keys(next.spec)])].filter(
    (field) => !MUTABLE.has(field) && JSON.stringify(old.spec[field]) !== JSON.stringify(next.spec[field]),
  );
  if (fields.length === 0) return undefined;
  const id = `StatefulSet/${namespace}/${name}`;
  const growth = fields.every((field) => field === 'volumeClaimTemplates') ? growthOf(old, next) : undefined;
  if (growth && growth.to < growth.from) {
    return `dist/${path}: a claim cannot shrink (${growth.text}). Write at least the old size; a smaller world is a new continent, restored from a backup.`;
  }
  if (growth && options.expandable.get(path.split('/')[0] ?? '') === false) {
    return `dist/${path}: the claims would grow (${growth.text}), but the storage class cannot do that (storage.expandable is false). Keep the size, or say that it can, if it can.`;
  }
  if (options.orphaned.includes(id)) return undefined;
  const claims = growth
    ? growth.claims.map(
        ({ claim, size }) =>
          `  kubectl -n ${namespace} patch pvc ${claim}-${name}-0 -p '{"spec":{"resources":{"requests":{"storage":"${size}"}}}}'`,
      )
    : [];
  return [
    `dist/${path}: ${fields.map((field) => `spec.${field}`).join(', ')} of a StatefulSet cannot be changed${growth ? ` (${growth.text})` : ''}; the sync of its whole Application would stop. In this order (deleted before the merge, it would come back as it was):`,
    ...claims,
    `  npm run synth -- --orphaned ${id}        # then commit, merge and wait until Argo CD says that it cannot change it`,
    `  kubectl -n ${namespace} delete statefulset ${name} --cascade=orphan        # the pod keeps running, the claims stay; Argo CD makes it anew (with maintenance windows: in a window, or synced by hand) and it adopts them`,
  ].join('\n');
}

function smallerDatabase(path: string, old: PlainObject, next: PlainObject): string | undefined {
  const [from, to]: (string | undefined)[] = [old.spec.storage?.size, next.spec.storage?.size];
  if (!from || !to || (quantityValue(to) ?? 0) >= (quantityValue(from) ?? 0)) return undefined;
  return `dist/${path}: the database's volumes cannot shrink (${from} → ${to}); the operator refuses it. Write at least '${from}'.`;
}

interface ClaimTemplate {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly resources?: { readonly requests?: { readonly storage?: string } } };
}

/** Old and new sizes when nothing but the requested storage of claim templates differs. */
function growthOf(old: PlainObject, next: PlainObject) {
  const size = (template: ClaimTemplate): string => template.spec?.resources?.requests?.storage ?? '0';
  const withoutSizes = (templates: readonly ClaimTemplate[]): string =>
    JSON.stringify(templates, (key, value: unknown) => (key === 'storage' ? undefined : value));
  const from: readonly ClaimTemplate[] = old.spec.volumeClaimTemplates ?? [];
  const to: readonly ClaimTemplate[] = next.spec.volumeClaimTemplates ?? [];
  if (withoutSizes(from) !== withoutSizes(to)) return undefined;
  const changed = to
    .map((template, index) => ({ template, was: size(from[index] ?? template) }))
    .filter(({ template, was }) => size(template) !== was);
  const sum = (sizes: readonly string[]) => sizes.reduce((total, text) => total + (quantityValue(text) ?? 0), 0);
  return {
    from: sum(changed.map(({ was }) => was)),
    to: sum(changed.map(({ template }) => size(template))),
    text: changed.map(({ template, was }) => `${template.metadata.name}: ${was} → ${size(template)}`).join(', '),
    claims: changed.map(({ template }) => ({ claim: template.metadata.name, size: size(template) })),
  };
}
