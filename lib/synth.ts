/**
 * The whole way for all clusters, in memory: descriptions → models → objects → checks → texts of files.
 * It deliberately writes nothing: whoever calls it decides where the texts go (`npm run synth`, `npm run check`, cdk8s, tests).
 */
import { type BuildOptions, type BuiltCluster, buildCluster } from './build';

import { type ExplainedViolation, runChecks } from './checks';
import { layOut } from './emit/paths';
import { toYaml, type WrittenParts } from './emit/yaml';
import { type ClusterDescription, DescriptionError, resolveCluster } from './model/cluster';
import { fileStore } from './secrets/store';

export interface SynthesizedCluster {
  readonly built: BuiltCluster;
  readonly violations: readonly ExplainedViolation[];
}

export interface Synthesis {
  readonly clusters: readonly SynthesizedCluster[];
  /** Text by path below dist, such as `homelab/realms/realm-aurora/Service.eldermoor.yaml`. */
  readonly files: ReadonlyMap<string, string>;
}

/** Everything that keeps a synth from writing, all of it at once. */
export class SynthesisError extends Error {
  constructor(readonly sentences: readonly string[]) {
    super(sentences.join('\n\n'));
    this.name = 'SynthesisError';
  }
}

export interface SynthesisOptions {
  /** Folder of sealed secrets. @default secrets, below the working directory */
  readonly secretsDirectory?: string;
  /** @default a file store of `secretsDirectory` */
  readonly store?: (clusterName: string) => BuildOptions['store'];
}

/** Computes every file of every cluster. Throws `SynthesisError` with all mistakes, missing secrets and violations of all clusters. */
export function synthesize(descriptions: readonly ClusterDescription[], options: SynthesisOptions = {}): Synthesis {
  const sentences: string[] = [];
  const clusters: SynthesizedCluster[] = [];
  const files = new Map<string, string>();
  const written: WrittenParts = new Map();
  const names = descriptions.map((description) => description.name);
  for (const twice of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
    sentences.push(`Two clusters are named '${twice}'; their files would overwrite each other. Give one of them another name.`);
  }
  for (const description of descriptions) {
    try {
      const cluster = resolveCluster(description);
      const store = options.store?.(cluster.name) ?? fileStore(options.secretsDirectory ?? 'secrets', cluster.name);
      const built = buildCluster(cluster, { store });
      const laidOut = layOut(built.objects, `${cluster.name}/`);
      const violations = withoutIncomplete(runChecks(built), built);
      clusters.push({ built, violations });
      if (built.missingSecrets.length > 0) sentences.push(missingSentence(built));
      if (violations.length > 0) sentences.push(violationSentence(cluster.name, violations));
      for (const [path, object] of laidOut) files.set(path, toYaml(object.manifest, written));
    } catch (error) {
      if (!(error instanceof DescriptionError) && (error as Error).name !== 'SecretFileError') throw error;
      sentences.push((error as Error).message);
    }
  }
  if (sentences.length > 0) throw new SynthesisError(sentences);
  return { clusters, files };
}

/** What is wrong with a SealedSecret whose values are missing follows from that alone, and goes with the one command that seals them. */
function withoutIncomplete(violations: readonly ExplainedViolation[], { missingSecrets }: BuiltCluster): readonly ExplainedViolation[] {
  if (missingSecrets.length === 0) return violations;
  const incomplete = new Set(missingSecrets.map(({ namespace, name }) => `SealedSecret ${namespace}/${name}`));
  return violations.filter(({ object }) => !incomplete.has(object));
}

function missingSentence(built: BuiltCluster): string {
  const { name } = built.cluster;
  const list = built.missingSecrets.map((each) => `  - ${each.namespace}/${each.name}, key ${each.key}`);
  return [
    `Cluster '${name}' needs ${list.length} sealed value${list.length === 1 ? '' : 's'} that secrets/${name} does not have:`,
    ...list,
    `Seal all that are missing with:\n  npm run seal -- --cluster ${name} --missing`,
  ].join('\n');
}

function violationSentence(cluster: string, violations: readonly ExplainedViolation[]): string {
  const list = violations.map(
    (each) =>
      `  - [${each.rule}] ${each.object}${each.field ? ` at ${each.field}` : ''} (Application ${each.application}): ${each.message}\n    Fix: ${each.fix}`,
  );
  const reasons = [...new Map(violations.map((each) => [each.rule, each.why])).entries()].map(([rule, why]) => `  ${rule}: ${why}`);
  return [
    `Cluster '${cluster}' breaks ${violations.length === 1 ? 'a rule' : `rules in ${violations.length} places`}:`,
    ...list,
    'Why these rules exist:',
    ...reasons,
  ].join('\n');
}
