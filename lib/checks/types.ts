/**
 * What a check is: a rule over every object of one cluster, with the reason for it. And the indexes that checks share, so that each stays linear.
 * It deliberately gives checks no way to change an object.
 */

import type { BuiltApplication, BuiltCluster, BuiltObject } from '../build';
import type { Exception, PlainObject } from '../emit/manifest';
import { CLUSTER_SCOPED, describe } from '../emit/paths';
import { innerMap } from '../inner-map';

/** One breach of one rule. */
export interface Violation {
  /** Id of the check. */
  readonly rule: string;
  readonly application: string;
  /** `StatefulSet realm-aurora/eldermoor`. */
  readonly object: string;
  /** Where in the object, such as `spec.template.spec.containers[game].image`. */
  readonly field?: string;
  /** What is wrong, as a sentence with the values. */
  readonly message: string;
  /** What to do, as a sentence. */
  readonly fix: string;
}

export interface Check {
  /** Kebab-case, stable: exceptions and documents name it. */
  readonly id: string;
  /** Why the rule exists: what happens in the cluster when it is broken. Shown with every violation. */
  readonly why: string;
  readonly run: (input: CheckInput) => Violation[];
}

/** A pod template and where it is: the same rules hold for every kind that makes pods. */
export interface PodTemplate {
  readonly object: BuiltObject;
  /** Path of the pod's spec in the object, such as `spec.template.spec`. */
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: a PodSpec as plain data; schemas check its shape.
  readonly spec: Readonly<Record<string, any>>;
}

/** Where a kind keeps its pod template. Fleet's GameServer template has one inside. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  Pod: [],
  Fleet: ['spec', 'template', 'spec', 'template'],
};

export class CheckInput {
  private readonly used = new Set<Exception>();
  private kinds?: Map<string, BuiltObject[]>;
  /** By kind, namespace and name. */
  private names?: Map<string, Map<string, Map<string, BuiltObject>>>;
  private templates?: PodTemplate[];

  constructor(readonly built: BuiltCluster) {}

  get objects(): readonly BuiltObject[] {
    return this.built.objects;
  }

  /** Objects of a kind, in the order in which they were made. */
  ofKind(kind: string): readonly BuiltObject[] {
    if (!this.kinds) {
      this.kinds = new Map();
      for (const object of this.objects) {
        const list = this.kinds.get(object.manifest.kind);
        if (list) list.push(object);
        else this.kinds.set(object.manifest.kind, [object]);
      }
    }
    return this.kinds.get(kind) ?? [];
  }

  /** The object of a kind, namespace and name, or undefined. */
  find(kind: string, namespace: string | undefined, name: string): BuiltObject | undefined {
    if (!this.names) {
      this.names = new Map();
      for (const object of this.objects) {
        const { kind, metadata } = object.manifest;
        innerMap(innerMap(this.names, kind), metadata.namespace ?? CLUSTER_SCOPED).set(metadata.name, object);
      }
    }
    return this.names
      .get(kind)
      ?.get(namespace ?? CLUSTER_SCOPED)
      ?.get(name);
  }

  /** Every pod template of every workload. */
  get podTemplates(): readonly PodTemplate[] {
    if (!this.templates) {
      this.templates = [];
      for (const [kind, path] of Object.entries(TEMPLATES)) {
        for (const object of this.ofKind(kind)) {
          // biome-ignore lint/suspicious/noExplicitAny: walking plain data.
          const template = path.reduce<any>((at, part) => at?.[part], object.manifest);
          if (template?.spec)
            this.templates.push({
              object,
              path: [...path, 'spec'].join('.'),
              labels: template.metadata?.labels ?? {},
              spec: template.spec,
            });
        }
      }
    }
    return this.templates;
  }

  application(name: string): BuiltApplication | undefined {
    return this.built.applications.get(name);
  }

  /** Whether some check would have reported a violation but for this exception; known once all have run. */
  wasNeeded(exception: Exception): boolean {
    return this.used.has(exception);
  }

  /** Whether the object departs from the rule at the field, with a reason that reviews see. */
  excepted(object: BuiltObject, rule: string, field: string): boolean {
    const exception = object.exceptions.find((each) => each.rule === rule && each.field === field);
    if (exception) this.used.add(exception);
    return exception !== undefined;
  }
}

/** A violation with the object's identity filled in. */
export function violation(
  check: Pick<Check, 'id'>,
  object: { application: string; manifest: PlainObject },
  message: string,
  fix: string,
  field?: string,
): Violation {
  return { rule: check.id, application: object.application, object: describe(object.manifest), ...(field ? { field } : {}), message, fix };
}
