/**
 * Claim templates of StatefulSets are complete: apiVersion, kind, name, access modes, volume mode and size.
 * It deliberately does not compare them with what runs; a template cannot be changed later, and the review of a pull request says so.
 */
import { type Check, type Violation, violation } from './types';

interface ClaimTemplate {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly volumeMode?: string;
    readonly accessModes?: readonly string[];
    readonly resources?: { readonly requests?: { readonly storage?: unknown } };
  };
}

/** What must be there: the field, what it must be, and whether it is right. */
const REQUIRED: readonly (readonly [field: string, wanted: string, right: (template: ClaimTemplate) => boolean])[] = [
  ['apiVersion', "apiVersion: 'v1'", ({ apiVersion }) => apiVersion === 'v1'],
  ['kind', "kind: 'PersistentVolumeClaim'", ({ kind }) => kind === 'PersistentVolumeClaim'],
  ['metadata.name', 'a name', ({ metadata }) => Boolean(metadata?.name)],
  [
    'spec.volumeMode',
    "volumeMode: 'Filesystem' (or 'Block')",
    ({ spec }) => spec?.volumeMode === 'Filesystem' || spec?.volumeMode === 'Block',
  ],
  ['spec.accessModes', "accessModes, such as ['ReadWriteOnce']", ({ spec }) => (spec?.accessModes?.length ?? 0) > 0],
  ['spec.resources.requests.storage', "a size, such as '20Gi'", ({ spec }) => Boolean(spec?.resources?.requests?.storage)],
];

export const claimTemplates: Check = {
  id: 'claim-templates',
  why: 'The API server fills in what is left out and lets nobody change it afterwards: Argo CD sees a difference that it can never remove, and syncs for ever.',
  run: (input) => {
    const violations: Violation[] = [];
    for (const object of input.ofKind('StatefulSet')) {
      ((object.manifest.spec?.volumeClaimTemplates ?? []) as ClaimTemplate[]).forEach((template, index) => {
        const name = template.metadata?.name ?? index;
        for (const [field, wanted, right] of REQUIRED) {
          if (right(template)) continue;
          const value = field.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], template);
          violations.push(
            violation(
              claimTemplates,
              object,
              `The claim template '${name}' has ${value === undefined ? 'no' : `${JSON.stringify(value)} as`} ${field}.`,
              `Write ${wanted} into the template; the StatefulSet of lib/constructs/stateful-set.ts adds apiVersion and kind.`,
              `spec.volumeClaimTemplates[${name}].${field}`,
            ),
          );
        }
      });
    }
    return violations;
  },
};
