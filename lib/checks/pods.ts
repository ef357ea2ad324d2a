/**
 * What checks ask of pod templates: those of the workloads and of operators, the containers of one, and the identity that one runs as.
 * It deliberately judges nothing.
 */
import type { PlainObject } from '../emit/manifest';
import type { CheckInput, PodTemplate } from './types';

/** A container of a pod template, and where it is. */
export interface PodContainer {
  /** Path in the object, such as `spec.template.spec.containers[game]`. */
  readonly path: string;
  readonly list: 'containers' | 'initContainers' | 'ephemeralContainers';
  // biome-ignore lint/suspicious/noExplicitAny: a Container as plain data; schemas check its shape.
  readonly spec: Readonly<Record<string, any>>;
}

const LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

const known = new WeakMap<PodTemplate, readonly PodContainer[]>();

/** The containers of a template, of all kinds; found at the first question, because nearly every check asks. */
export function containersOf(template: PodTemplate): readonly PodContainer[] {
  const containers = known.get(template) ?? findContainers(template);
  known.set(template, containers);
  return containers;
}

function findContainers(template: PodTemplate): PodContainer[] {
  const containers: PodContainer[] = [];
  for (const list of LISTS) {
    const specs = template.spec[list];
    if (!Array.isArray(specs)) continue;
    for (let index = 0; index < specs.length; index++) {
      const spec = specs[index];
      containers.push({ path: `${template.path}.${list}[${spec.name ?? index}]`, list, spec });
    }
  }
  return containers;
}

/**
 * Pod templates that an operator completes before it makes pods of them: K8up's PodConfig.
 * They are not among `CheckInput.podTemplates`, because image, volumes and identity are the operator's to fill in.
 */
export function operatorTemplates(input: CheckInput): PodTemplate[] {
  return input.ofKind('PodConfig').flatMap((object): PodTemplate[] => {
    const template = object.manifest.spec?.template;
    return template?.spec ? [{ object, path: 'spec.template.spec', labels: template.metadata?.labels ?? {}, spec: template.spec }] : [];
  });
}

/** `<namespace>/<name>` of every ServiceAccount that some RoleBinding or ClusterRoleBinding gives rights to. */
export function boundServiceAccounts(input: CheckInput): Set<string> {
  const bound = new Set<string>();
  for (const kind of ['RoleBinding', 'ClusterRoleBinding']) {
    for (const { manifest } of input.ofKind(kind)) {
      for (const subject of (manifest.subjects ?? []) as { kind: string; name: string; namespace?: string }[]) {
        if (subject.kind === 'ServiceAccount') bound.add(`${subject.namespace ?? manifest.metadata.namespace ?? ''}/${subject.name}`);
      }
    }
  }
  return bound;
}

/** `<namespace>/<name>` of the ServiceAccount that a template's pods run as. */
export function serviceAccountOf(template: PodTemplate): string {
  return `${template.object.manifest.metadata.namespace ?? ''}/${template.spec.serviceAccountName ?? 'default'}`;
}

/** Identity within a namespace, for indexes: `Deployment|connect-broker|connect-broker`. */
export function workloadKey(kind: string, manifest: Pick<PlainObject, 'metadata'>, name = manifest.metadata.name): string {
  return `${kind}|${manifest.metadata.namespace ?? ''}|${name}`;
}
