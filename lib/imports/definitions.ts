/**
 * CustomResourceDefinitions in upstream's files: found, told apart, and reduced to the kinds and the one version that
 * are used. It deliberately keeps a definition's own text beside its parsed form, because a cluster test needs
 * upstream's words and not ours.
 */
import { parseDocument } from 'yaml';
import type { KindList } from './kinds';
import { ImportError, type SourceFile } from './sources';

/** The part of an OpenAPI v3 schema (as a CustomResourceDefinition writes it) that this project looks at. */
export interface OpenApiSchema {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly additionalProperties?: boolean | OpenApiSchema;
  readonly items?: OpenApiSchema;
  readonly [key: string]: unknown;
}

/** One entry of a definition's `spec.versions`. */
export interface DefinitionVersion {
  readonly name: string;
  readonly served: boolean;
  readonly schema?: { readonly openAPIV3Schema?: OpenApiSchema };
}

/** A CustomResourceDefinition. */
export interface Definition {
  /** `metadata.name`, e.g. `fleets.agones.dev`. */
  readonly name: string;
  readonly group: string;
  readonly kind: string;
  readonly versions: readonly DefinitionVersion[];
  /** The file it is from. */
  readonly source: SourceFile;
  /** Its document in that file, comments included, without separators. */
  readonly text: string;
}

const IS_DEFINITION = /^kind: *["']?CustomResourceDefinition["']?\s*$/m;

/** The documents of a YAML file that are CustomResourceDefinitions, as text without separators and outer blank lines. */
export function definitionTexts(text: string): string[] {
  return text
    .split(/^---(?:[ \t].*)?$/m)
    .map((document) => document.trim())
    .filter((document) => IS_DEFINITION.test(document));
}

/** What is left of a file when all but its definitions is removed: what a mirror may hold instead of the file. */
export function definitionsOnly(text: string): string {
  return definitionTexts(text)
    .map((document) => `---\n${document}\n`)
    .join('');
}

/**
 * Parses the definitions of one file that are of wanted groups.
 * @throws ImportError for a document that is not YAML or lacks what a definition must have.
 */
function parseDefinitions(source: SourceFile, wanted: (group: string, kind: string) => boolean): Definition[] {
  return definitionTexts(source.text).flatMap((text) => {
    // Parsing is by far the dearest step (half a megabyte a document), so a look at the text comes first. Indentation
    // makes the first match the definition's own: nothing else sits so high.
    const group = /^ {2}group: *["']?([\w.-]+)/m.exec(text)?.[1];
    const kind = /^ {4}kind: *["']?(\w+)/m.exec(text)?.[1];
    if (group !== undefined && kind !== undefined && !wanted(group, kind)) return [];
    // Upstream's schemas have an enum with a bare `=`, which the YAML 1.1 of other tools does not take; 1.2 does.
    const document = parseDocument(text, { version: '1.2' });
    const error = document.errors[0];
    if (error !== undefined) throw new ImportError([`${source.address} is not YAML: ${error.message}`]);
    // biome-ignore lint/suspicious/noExplicitAny: upstream's object, whose fields the next lines check
    const object = document.toJS({ maxAliasCount: 0 }) as any;
    const definition: Definition = {
      name: object?.metadata?.name,
      group: object?.spec?.group,
      kind: object?.spec?.names?.kind,
      versions: object?.spec?.versions,
      source,
      text,
    };
    if (!definition.name || !definition.group || !definition.kind || !Array.isArray(definition.versions)) {
      throw new ImportError([
        `${source.address} has a CustomResourceDefinition without metadata.name, spec.group, spec.names.kind or spec.versions.`,
      ]);
    }
    return wanted(definition.group, definition.kind) ? [definition] : [];
  });
}

/** A definition of a used kind and its one used version. */
export interface UsedDefinition {
  readonly definition: Definition;
  readonly version: DefinitionVersion;
  readonly schema: OpenApiSchema;
}

/**
 * Finds each used kind in the files, in the order of the list.
 * @throws ImportError naming each kind that no file defines, that two files define, or whose version is not served, and
 * each file that no used kind comes from.
 */
export function selectDefinitions(files: readonly SourceFile[], used: readonly KindList[]): UsedDefinition[] {
  const keys = new Set(used.flatMap(({ apiVersion, kinds }) => kinds.map((kind) => `${apiVersion.split('/')[0]}/${kind}`)));
  const found = new Map<string, Definition>();
  const problems: string[] = [];
  for (const file of files) {
    const definitions = parseDefinitions(file, (group, kind) => keys.has(`${group}/${kind}`));
    if (definitions.length === 0) {
      problems.push(`${file.address} defines no kind of lib/imports/kinds.ts; remove it from cdk8s.yaml or list its kind there.`);
    }
    for (const definition of definitions) {
      const key = `${definition.group}/${definition.kind}`;
      const earlier = found.get(key);
      if (earlier !== undefined) {
        problems.push(
          `${key} is defined by ${earlier.source.address} and again by ${definition.source.address}; keep one of them in cdk8s.yaml.`,
        );
      }
      found.set(key, definition);
    }
  }
  const selected: UsedDefinition[] = [];
  for (const { apiVersion, kinds } of used) {
    const [group = '', versionName = ''] = apiVersion.split('/');
    for (const kind of kinds) {
      const definition = found.get(`${group}/${kind}`);
      if (definition === undefined) {
        problems.push(`${kind} of ${apiVersion} is in lib/imports/kinds.ts, but no file of cdk8s.yaml defines it; add its address.`);
        continue;
      }
      const version = definition.versions.find(({ name, served }) => name === versionName && served);
      const schema = version?.schema?.openAPIV3Schema;
      if (version === undefined || schema === undefined) {
        const served = definition.versions.filter((each) => each.served).map(({ name }) => name);
        problems.push(
          `${definition.source.address} does not serve ${kind} of ${apiVersion} with a schema; it serves ${served.join(', ') || 'none'}. Change the version in lib/imports/kinds.ts.`,
        );
        continue;
      }
      selected.push({ definition, version, schema });
    }
  }
  if (problems.length > 0) throw new ImportError(problems);
  return selected;
}
