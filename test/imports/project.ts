/**
 * A project of its own in a temporary folder, with a mirror of two small upstreams, for the tests of the import. It
 * deliberately shares nothing with the real project but the installed packages: the tests need no upstream file.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { KindList } from '../../lib/imports/kinds';
import { sha256 } from '../../lib/imports/sources';

export const BASE = 'https://upstream.example/v1.2.3';
export const KUBERNETES = `${BASE}/_definitions.json`;

export const CUSTOM: readonly KindList[] = [
  { apiVersion: 'farm.example/v1', kinds: ['Barn', 'Tractor'] },
  { apiVersion: 'zoo.example/v2', kinds: ['Lion'] },
];
export const BUILT_IN: readonly KindList[] = [{ apiVersion: 'v1', kinds: ['ConfigMap'] }];

/** A definition with one property per version, `spec.<property>`, as upstream's YAML. */
export function definition(group: string, kind: string, versions: Record<string, string>): string {
  const list = Object.entries(versions).map(
    ([name, property]) => `  - name: ${name}
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          apiVersion:
            type: string
          kind:
            type: string
          metadata:
            type: object
          spec:
            type: object
            required: [${property}]
            properties:
              ${property}:
                description: Said in the bindings only.
                type: string
          status:
            type: object
            properties:
              observed:
                type: string`,
  );
  const plural = `${kind.toLowerCase()}s`;
  return `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${plural}.${group}
spec:
  group: ${group}
  names:
    kind: ${kind}
    plural: ${plural}
  scope: Namespaced
  versions:
${list.join('\n')}
`;
}

/** Upstream's files by address: two of one group, and an installation manifest that holds another object too. */
export const UPSTREAM: Readonly<Record<string, string>> = {
  [`${BASE}/barn.yaml`]: definition('farm.example', 'Barn', { v1: 'colour' }),
  [`${BASE}/tractor.yaml`]: definition('farm.example', 'Tractor', { v1beta1: 'oldWheels', v1: 'wheels' }),
  [`${BASE}/install.yaml`]: `---
apiVersion: v1
kind: Namespace
metadata:
  name: zoo
${definition('zoo.example', 'Lion', { v2: 'mane' })}${definition('zoo.example', 'Zebra', { v2: 'stripes' })}`,
  [KUBERNETES]: JSON.stringify({
    definitions: {
      'io.k8s.api.core.v1.ConfigMap': {
        type: 'object',
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
          data: { type: 'object', additionalProperties: { type: 'string' } },
        },
        'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'ConfigMap' }],
      },
      'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': {
        type: 'object',
        properties: { name: { type: 'string' }, namespace: { type: 'string' } },
      },
    },
  }),
};

/** A temporary project; `remove` deletes it. */
export class TemporaryProject {
  readonly root: string;
  readonly mirror: string;

  constructor(upstream: Readonly<Record<string, string>> = UPSTREAM) {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'import-test-')));
    this.mirror = join(this.root, 'mirror');
    symlinkSync(resolve('node_modules'), join(this.root, 'node_modules'));
    this.write('package.json', '{}');
    this.list(Object.keys(upstream));
    this.serve(upstream);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Writes cdk8s.yaml with these entries. */
  list(imports: readonly string[]): void {
    this.write('cdk8s.yaml', JSON.stringify({ language: 'typescript', app: 'none', imports }));
  }

  /** Writes the mirror; `hashes` are said in its table instead of the right ones. */
  serve(upstream: Readonly<Record<string, string>>, hashes: Readonly<Record<string, string>> = {}): void {
    const rows = Object.entries(upstream).map(([address, text], index) => {
      this.write(`mirror/files/${index}`, text);
      return `${address}\tfiles/${index}\t${hashes[address] ?? sha256(text)}`;
    });
    this.write('mirror/sources.tsv', ['url\tfile\tsha256', ...rows].join('\n'));
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
