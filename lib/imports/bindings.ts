/**
 * TypeScript classes of custom resources, made by the real `cdk8s import`. It deliberately runs the command instead of
 * calling its modules (they are no public interface), and does not touch what it writes, but for the first line of
 * each file.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { UsedDefinition } from './definitions';
import { ImportError } from './sources';

/**
 * Put before what the command wrote: type-checking the bodies of generated code costs ten CPU seconds and finds
 * nothing; code that uses it is checked against its types all the same.
 */
const FIRST_LINE = '// @ts-nocheck\n';

/** Where the installed `cdk8s` command is, and its version. */
export function importCommand(projectRoot: string): {
  script: string;
  version: string;
} {
  const manifest = createRequire(join(projectRoot, 'package.json')).resolve('cdk8s-cli/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    version: string;
  };
  return { script: join(dirname(manifest), 'bin', 'cdk8s'), version };
}

/**
 * The definitions of one generated file as the command's input. `cdk8s import` writes one file per API group and
 * silently overwrites it when two inputs have the same group, so all of a group go into one input. Only the used
 * version stays (the first listed one would get the plain class name, even when deprecated), and no `status`, which
 * nobody writes.
 */
function importInputs(selected: readonly UsedDefinition[]): Map<string, string> {
  const documents = new Map<string, string[]>();
  for (const { definition, version, schema } of selected) {
    const prefix = definition.source.prefix;
    const module = prefix === undefined ? definition.group : `${prefix}-${definition.group}`;
    const { status: _, ...properties } = schema.properties ?? {};
    const reduced = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: definition.name },
      spec: {
        group: definition.group,
        names: { kind: definition.kind },
        versions: [
          {
            name: version.name,
            schema: { openAPIV3Schema: { ...schema, properties } },
          },
        ],
      },
    };
    documents.set(module, [...(documents.get(module) ?? []), JSON.stringify(reduced)]);
  }
  return new Map([...documents].map(([module, list]) => [module, `${list.join('\n---\n')}\n`]));
}

/**
 * Generates the bindings of the definitions.
 * @returns file name (`argoproj.io.ts`) to content.
 * @throws ImportError when the command fails, or does not write exactly one file per API group.
 */
export async function generateBindings(selected: readonly UsedDefinition[], projectRoot: string): Promise<Map<string, string>> {
  const scratch = mkdtempSync(join(tmpdir(), 'imports-'));
  try {
    mkdirSync(join(scratch, 'in'));
    const inputs = importInputs(selected);
    for (const [module, text] of inputs) writeFileSync(join(scratch, 'in', `${module}.yaml`), text);
    // Given by cdk8s.yaml in the working directory, all inputs take one start of the command (a second each).
    writeFileSync(
      join(scratch, 'cdk8s.yaml'),
      JSON.stringify({
        language: 'typescript',
        importDirectory: 'out',
        imports: selected
          .map(({ definition: { group, source } }) => [source.prefix, group] as const)
          .map(([prefix, group]) => (prefix === undefined ? `in/${group}.yaml` : `${prefix}:=in/${prefix}-${group}.yaml`))
          .filter((spec, index, all) => all.indexOf(spec) === index),
      }),
    );
    await run(importCommand(projectRoot).script, scratch);
    const written = readdirSync(join(scratch, 'out')).sort();
    const expected = [...inputs.keys()].map((module) => `${module}.ts`).sort();
    if (written.join() !== expected.join()) {
      throw new ImportError([`cdk8s import wrote ${written.join(', ')}, but should have written ${expected.join(', ')}.`]);
    }
    return new Map(written.map((name) => [name, FIRST_LINE + readFileSync(join(scratch, 'out', name), 'utf8')]));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function run(script: string, cwd: string): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [script, 'import', '--no-save'], {
      cwd,
      // The command would otherwise ask the network for its newest version at each start.
      env: { ...process.env, CDK8S_CHECK_UPGRADE: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', failed);
    child.once('close', (code) => {
      if (code === 0) done();
      else failed(new ImportError([`cdk8s import failed with exit code ${code}:\n${output.trim()}`]));
    });
  });
}
