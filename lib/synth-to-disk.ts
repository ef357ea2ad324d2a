/**
 * A synthesis written to a folder, and what there is to say about it: changes, what is left out, requests, warnings, steps for a person.
 * It deliberately computes nothing of the cluster itself.
 */
import { unverifiedImages } from './checks/pinned-images';
import { committedFiles } from './committed';
import { compareTrees, readTree, type TreeChange, writeTree } from './emit/writer';
import { judgeFrozenFields } from './frozen-fields';
import type { ClusterDescription } from './model/cluster';
import { judgeRemovals } from './removals';
import { replacedExamples } from './replaced-examples';
import { describeRequests, sumOfRequests } from './requests';
import { type Synthesis, SynthesisError, type SynthesisOptions, synthesize } from './synth';
import { addRootModules, readVariables } from './terraform/tree';
import { terraformVariables, VARIABLES_FILE } from './terraform/variables';

export interface SynthToDiskOptions extends SynthesisOptions {
  readonly descriptions: readonly ClusterDescription[];
  /** The folder that Argo CD reads; `dist`. */
  readonly directory: string;
  /** The folder of Terraform's root modules, `terraform/clusters`, which get the clusters' variables. @default none: nothing is written for Terraform */
  readonly terraformDirectory?: string;
  /** `<Kind>/<namespace>/<name>` of objects with data that may leave. */
  readonly released?: readonly string[];
  /** `StatefulSet/<namespace>/<name>` whose frozen fields may change, because the operator deletes them with --cascade=orphan afterwards. */
  readonly orphaned?: readonly string[];
  /** Clusters that no machine ever ran, such as an example that makes room for somebody's own: what leaves their folders is nobody's data. @default none */
  readonly neverRan?: readonly string[];
  /** Only say what would change. @default false */
  readonly dryRun?: boolean;
}

/** Files whose committed text matters to whoever removes them. Databases and claims are not among them: `--release` is said once, not until the commit. */
const JUDGED = /\/(?!(?:Cluster|ObjectStore|PersistentVolumeClaim)\.)[^/]+$/;

export interface SynthReport {
  readonly change: TreeChange;
  /** The same of Terraform's variables; undefined without a folder for them. */
  readonly terraform?: TreeChange;
  /** For people. */
  readonly lines: readonly string[];
}

export function synthesizeToDisk(options: SynthToDiskOptions): SynthReport {
  const synthesis = synthesize(options.descriptions, options);
  const before = readTree(options.directory);
  const planned = compareTrees(before, synthesis.files);
  const neverRan = new Set([
    ...(options.neverRan ?? []),
    ...replacedExamples(
      synthesis.clusters.map(({ built }) => built.cluster.name),
      options.secretsDirectory ?? 'secrets',
    ),
  ]);
  const ran = (file: string): boolean => !neverRan.has(file.slice(0, file.indexOf('/')));
  // Worlds are judged by what is committed, because that is what runs: a world that was retired and removed without a commit between was never retired.
  const committed = options.dryRun
    ? new Map<string, string>()
    : committedFiles(options.directory, (file) => JUDGED.test(file) && ran(file) && !synthesis.files.has(file));
  const removals = judgeRemovals(
    new Map([...before, ...committed]),
    [...new Set([...planned.removed.filter(ran), ...committed.keys()])],
    synthesis.files.keys(),
    options.released,
  );
  const frozen = judgeFrozenFields(before, synthesis.files, planned.changed.filter(ran), {
    expandable: new Map(synthesis.clusters.map(({ built }) => [built.cluster.name, built.cluster.storage.expandable])),
    orphaned: options.orphaned ?? [],
  });
  if (removals.refusals.length + frozen.length > 0) throw new SynthesisError([...removals.refusals, ...frozen]);
  // Texts first: nothing is written when one of them cannot be made.
  const variables = terraformFiles(options, synthesis);
  const change = options.dryRun ? planned : writeTree(options.directory, before, synthesis.files, planned);
  const terraform = variables && writeVariables(variables, options.dryRun ?? false);

  const lines: string[] = [];
  for (const { built } of synthesis.clusters) {
    const { name } = built.cluster;
    lines.push(
      `${name}: ${built.applications.size + 1} Applications, ${built.objects.length} objects. ${describeRequests(sumOfRequests(built))}`,
    );
    for (const { name: component, reason } of built.leftOut) lines.push(`  left out: ${component} — ${reason}`);
    for (const warning of built.warnings) lines.push(`  warning: ${warning}`);
  }
  const unverified = new Map(
    synthesis.clusters.flatMap(({ built }) => unverifiedImages(built)).map(({ image, reason }) => [image, reason]),
  );
  for (const [image, reason] of unverified) lines.push(`without a digest: ${image} (${reason})`);
  const { added, changed, removed, unchanged } = change;
  lines.push(`${options.directory}: ${added.length} added, ${changed.length} changed, ${removed.length} removed, ${unchanged} unchanged.`);
  if (terraform && terraform.change.added.length + terraform.change.changed.length + terraform.change.removed.length > 0)
    lines.push(
      `${variables?.directory}: ${[...terraform.change.added, ...terraform.change.changed].length} written, ${terraform.change.removed.length} removed.`,
    );
  for (const name of terraform?.modules ?? [])
    lines.push(`${variables?.directory}/${name}: a root module was added; it is yours to change.`);
  if (removals.steps.length > 0) {
    lines.push(
      'What Argo CD must not remove by itself has left Git. Commit, merge, pull, and run in that checkout, in this order (it waits where it must; nothing here deletes data):',
    );
    lines.push(...removals.steps.map((step) => `  ${step}`));
  }
  if (removals.forGood.length > 0) {
    lines.push('What is left then (volumes, backups, keys) stays until you end it for good:');
    lines.push(...removals.forGood.map((step) => `  ${step}`));
  }
  return { change, ...(terraform ? { terraform: terraform.change } : {}), lines };
}

interface TerraformFiles {
  readonly directory: string;
  readonly clusters: readonly string[];
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
}

function terraformFiles({ terraformDirectory: directory, secretsDirectory = 'secrets' }: SynthToDiskOptions, synthesis: Synthesis) {
  if (directory === undefined) return undefined;
  const clusters = synthesis.clusters.map(({ built }) => built);
  return {
    directory,
    clusters: clusters.map(({ cluster }) => cluster.name),
    before: readVariables(directory),
    after: new Map(clusters.map((built) => [`${built.cluster.name}/${VARIABLES_FILE}`, terraformVariables(built, { secretsDirectory })])),
  };
}

function writeVariables(
  { directory, clusters, before, after }: TerraformFiles,
  dryRun: boolean,
): { change: TreeChange; modules: string[] } {
  const planned = compareTrees(before, after);
  if (dryRun) return { change: planned, modules: [] };
  const change = writeTree(directory, before, after, planned);
  return { change, modules: addRootModules(directory, clusters) };
}
