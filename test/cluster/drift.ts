/**
 * What an API server made of our text: every field of ours that it dropped or rewrote, which Argo CD would show as OutOfSync for ever.
 * It deliberately ignores what the server or a controller added: that is no difference for server-side apply.
 */

/** One field whose value in the cluster is not the one in our file. */
export interface Drift {
  /** Such as `spec.template.spec.containers[0].resources.requests.cpu`. */
  readonly field: string;
  readonly ours: unknown;
  /** `undefined` when the server dropped it. */
  readonly theirs: unknown;
}

export function drift(ours: unknown, theirs: unknown, field = ''): Drift[] {
  if (Array.isArray(ours)) {
    if (!Array.isArray(theirs) || theirs.length !== ours.length) return [{ field, ours, theirs }];
    return ours.flatMap((item, index) => drift(item, theirs[index], `${field}[${index}]`));
  }
  if (isMap(ours)) {
    if (!isMap(theirs)) return [{ field, ours, theirs }];
    return Object.keys(ours).flatMap((key) => drift(ours[key], theirs[key], field === '' ? key : `${field}.${key}`));
  }
  return Object.is(ours, theirs) ? [] : [{ field, ours, theirs }];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
