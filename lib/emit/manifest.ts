/**
 * One Kubernetes object in a chart, as plain data, made by the generated classes' own typed `manifest()`.
 * It deliberately makes no construct of it: of what an ApiObject brings (tokens, generated names, dependencies) nothing is used here, and it costs
 * more than all the rest (measured: tokens of 12,000 objects 0.7 CPU s, constructs of 23,000 objects 0.3 CPU s and 33 MB).
 */
import type { Chart } from 'cdk8s';
import { describe } from './paths';
import { share } from './shared';

/** An object as plain data. */
export interface PlainObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the kind; schemas check it before anything is written.
  [field: string]: any;
}

/** A deliberate departure from a rule, typed beside the object that needs it and shown in its annotations, so that reviews see it. */
export interface Exception {
  /** Id of the check, such as `pod-security`. */
  readonly rule: string;
  /** The full path of the field that departs, such as `spec.template.spec.containers[pihole].securityContext.readOnlyRootFilesystem`. */
  readonly field: string;
  /** Why it must be so. */
  readonly reason: string;
}

/** Annotation that shows an object's exceptions, one a line. */
export const EXCEPTIONS_ANNOTATION = 'mmo/exceptions';

/** One object of a chart. */
export interface Manifest {
  readonly manifest: PlainObject;
  readonly exceptions: readonly Exception[];
}

/** The objects of each chart, by their identity in it. */
const objects = new WeakMap<Chart, Map<string, Manifest>>();

/** What add() gave a chart, in that order. Throws when the chart also has a construct of cdk8s's own, whose object nobody would write. */
export function objectsOf(chart: Chart): readonly Manifest[] {
  const [construct] = chart.apiObjects;
  if (construct)
    throw new Error(
      `${construct.node.path} was made with 'new'; objects are added with add(), which types them and keeps their exceptions.`,
    );
  return [...(objects.get(chart)?.values() ?? [])];
}

/** A generated class: cdk8s's L1 classes and those in imports/ have it. */
export interface GeneratedClass<Props> {
  manifest(props: Props): unknown;
}

/**
 * A kind whose objects differ in their metadata alone (a default-deny policy in every namespace): the rest is converted once and shared.
 * Use with `add()` in place of the generated class, with `{ metadata }`.
 */
export function sameEverywhere<Props>(type: GeneratedClass<Props>, props: Omit<Props, 'metadata'>): SharedKind {
  const shared = share(type.manifest(props as Props));
  return { manifest: () => shared };
}

/** What `sameEverywhere` makes. */
export type SharedKind = GeneratedClass<{ readonly metadata: PlainObject['metadata'] }>;

/**
 * Adds an object to a chart, under its identity (kind, namespace, name): a duplicate in one chart throws.
 * @param options.exceptions departures from rules, each with its reason
 */
export function add<Props>(
  chart: Chart,
  type: GeneratedClass<Props>,
  props: Props,
  options: { readonly exceptions?: readonly Exception[] } = {},
): Manifest {
  // Metadata are names and plain texts, which the generated classes would only copy, key by key.
  const { metadata, ...content } = props as { metadata?: PlainObject['metadata'] };
  const manifest = { ...(type.manifest(content as Props) as PlainObject), metadata } as PlainObject;
  if (!manifest.metadata?.name)
    throw new Error(
      `An object of kind ${manifest.kind} in chart '${chart.node.id}' has no metadata.name; names are always written, never generated.`,
    );
  const exceptions = options.exceptions ?? [];
  if (exceptions.length > 0) {
    manifest.metadata = {
      ...manifest.metadata,
      annotations: {
        ...manifest.metadata.annotations,
        [EXCEPTIONS_ANNOTATION]: exceptions.map((e) => `${e.rule} ${e.field}: ${e.reason}`).join('\n'),
      },
    };
  }
  let siblings = objects.get(chart);
  if (!siblings) {
    siblings = new Map();
    objects.set(chart, siblings);
  }
  const id = describe(manifest);
  if (siblings.has(id)) throw new Error(`Chart '${chart.node.id}' has two objects ${id}; one of them must go, or get another name.`);
  const object = { manifest, exceptions };
  siblings.set(id, object);
  return object;
}
