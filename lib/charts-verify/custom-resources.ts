/**
 * Our own custom resources against the CRDs that the pinned charts bring, which are what the cluster will really check them with.
 * It deliberately reads dist/ and nothing of how it was made: the synth validates with the definitions of imports/, and this finds where those and the charts' part.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { readTree } from '../emit/writer';
import type { DefinitionVersion, UsedDefinition } from '../imports/definitions';
import { generateValidationSchemas } from '../imports/validation-schemas';
import { SchemaSet } from '../schemas';
import type { Difference } from './record';
import { dig, type Manifest, readManifests } from './rendered';

/** An object of dist/ and its file. */
export interface PlacedManifest {
  /** Path of the file, as differences name it. */
  readonly file: string;
  readonly manifest: Manifest;
}

/** What the comparison found. */
export interface CustomResourceReport {
  /** Objects whose kind is of a CRD that a chart renders. */
  readonly validated: number;
  readonly differences: readonly Difference[];
}

/** The objects in every YAML file below a folder. @returns undefined when there is no such folder, or nothing in it */
export function readObjects(folder: string): readonly PlacedManifest[] | undefined {
  const texts = [...readTree(folder)].filter(([file]) => file.endsWith('.yaml')).sort(([a], [b]) => (a < b ? -1 : 1));
  if (texts.length === 0) return undefined;
  return texts.flatMap(([file, text]) => readManifests(text).map((manifest) => ({ file: relative('.', join(folder, file)), manifest })));
}

/**
 * Validates objects against CRDs.
 * Objects of other groups (Kubernetes' own) are not looked at. An object whose group a CRD has, but whose kind or version no CRD serves, is a difference.
 */
export function validateCustomResources(objects: readonly PlacedManifest[], definitions: readonly Manifest[]): CustomResourceReport {
  const groups = new Set(definitions.map((each) => String(dig(each, 'spec', 'group'))));
  const ours = objects.filter(({ manifest }) => groups.has(groupOf(manifest.apiVersion)));
  const used = new Map<string, UsedDefinition>();
  const differences: Difference[] = [];
  for (const { file, manifest } of ours) {
    const key = `${manifest.apiVersion} ${manifest.kind}`;
    if (used.has(key)) continue;
    const found = findDefinition(manifest, definitions);
    if (typeof found === 'string') differences.push({ rule: 'no-definition', place: file, message: found });
    else used.set(key, found);
  }
  const schemas = schemaSet([...used.values()]);
  const known = ours.filter(({ manifest }) => used.has(`${manifest.apiVersion} ${manifest.kind}`));
  for (const { file, manifest } of known) {
    for (const violation of schemas.validate(manifest)) {
      differences.push({
        rule: 'invalid-custom-resource',
        place: `${file}${violation.path ? ` ${violation.path}` : ''}`,
        message: violation.message,
      });
    }
  }
  return { validated: known.length, differences };
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

function findDefinition(manifest: Manifest, definitions: readonly Manifest[]): UsedDefinition | string {
  const group = groupOf(manifest.apiVersion);
  const version = manifest.apiVersion.slice(group.length + 1);
  const definition = definitions.find(
    (each) => dig(each, 'spec', 'group') === group && dig(each, 'spec', 'names', 'kind') === manifest.kind,
  );
  if (!definition) return `No chart renders a CRD for ${manifest.kind} of ${group}; the cluster would refuse the object.`;
  const versions = (dig(definition, 'spec', 'versions') as readonly DefinitionVersion[] | undefined) ?? [];
  const served = versions.find((each) => each.name === version && each.served);
  const schema = served?.schema?.openAPIV3Schema;
  if (!served || !schema) {
    const names = versions.filter((each) => each.served).map((each) => each.name);
    return `The chart's CRD ${definition.metadata.name} does not serve ${version}; it serves ${names.join(', ') || 'nothing'}.`;
  }
  return {
    definition: {
      name: definition.metadata.name,
      group,
      kind: manifest.kind,
      versions,
      source: { address: definition.metadata.name, version: served.name, text: '' },
      text: '',
    },
    version: served,
    schema,
  };
}

/** The synth's own validator, with schemas made of the charts' CRDs. Metadata is not looked at: it is the same for every kind, and the synth checks it. */
function schemaSet(used: readonly UsedDefinition[]): SchemaSet {
  const metadata = { definitions: { 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { type: 'object' } } };
  const files = generateValidationSchemas(used, { address: 'metadata of any kind', version: 'v1', text: JSON.stringify(metadata) }, []);
  const folder = mkdtempSync(join(tmpdir(), 'charts-verify-schemas-'));
  try {
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    const schemas = new SchemaSet(folder);
    // Each file is read at the first use of its kind, which must be before the folder goes.
    for (const [apiVersion, kind] of schemas.kinds()) schemas.validate({ apiVersion, kind, metadata: {} });
    return schemas;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
