/**
 * One Kubernetes object in a chart, as plain data, made by the generated classes' own typed `manifest()`.
 * It deliberately bypasses cdk8s's token resolution, which costs more than everything else together and which nothing here needs
 * (measured: 12,000 objects 1.5 → 0.8 CPU s); `cdk8s synth` still works, because the construct answers `toJson()`.
 */
import { ApiObject, type Chart } from 'cdk8s';

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

export class Manifest extends ApiObject {
  constructor(
    chart: Chart,
    id: string,
    readonly manifest: PlainObject,
    readonly exceptions: readonly Exception[],
  ) {
    super(chart, id, { apiVersion: manifest.apiVersion, kind: manifest.kind, metadata: { name: manifest.metadata.name } });
  }

  /** Whether add() made the object. (`instanceof` cannot tell: cdk8s makes it true for every ApiObject.) */
  static isManifest(object: ApiObject): object is Manifest {
    return 'manifest' in object;
  }

  override toJson(): PlainObject {
    return this.manifest;
  }
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
  const shared = type.manifest(props as Props);
  return { manifest: () => shared };
}

/** What `sameEverywhere` makes. */
export type SharedKind = GeneratedClass<{ readonly metadata: PlainObject['metadata'] }>;

/**
 * Adds an object to a chart. Its construct id is its identity (kind, namespace, name), so that order never matters and a duplicate in one chart throws.
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
  const { name, namespace = '_cluster' } = manifest.metadata;
  return new Manifest(chart, `${manifest.kind}:${namespace}:${name}`.replaceAll('/', '|'), manifest, exceptions);
}
