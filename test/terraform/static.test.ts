/** terraform/ by its own tools, without a cluster: form, types, the modules' own tests with mocked providers, and the lock files. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { makeCertificate } from '../../lib/secrets/sealing';
import { memoryStore } from '../../lib/secrets/store';
import { synthesize } from '../../lib/synth';
import { terraformVariables, VARIABLES_FILE } from '../../lib/terraform/variables';
import { exampleLocal } from '../examples';
import { flat, missingForTerraform, type Tool, tools, Workspace } from './tools';

const MODULES = ['terraform/modules/bootstrap', 'terraform/modules/kind'];
const ROOTS = readdirSync('terraform/clusters').map((name) => `terraform/clusters/${name}`);
const LONG = 120_000;

describe('lock files', () => {
  test.each(ROOTS)('%s locks the version of the provider that its modules ask for', (root) => {
    const asked = [root, ...MODULES].flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.tf'))
        .flatMap((name) =>
          [...readFileSync(path.join(folder, name), 'utf8').matchAll(/^ +version = "([^"]+)"$/gm)].map(([, version]) => version),
        ),
    );
    const locked = /^ +version +[^"]+"([^"]+)"$/m.exec(lock(root))?.[1];
    expect([...new Set(asked)]).toEqual([locked]);
  });

  test('all of them are the same', () => {
    expect(new Set(ROOTS.map(lock)).size).toBe(1);
  });

  function lock(root: string): string {
    return readFileSync(path.join(root, '.terraform.lock.hcl'), 'utf8');
  }
});

test('no state, plan or variable of an operator is in the repository', () => {
  const tracked = execFileSync('git', ['ls-files', 'terraform'], { encoding: 'utf8' }).split('\n');
  expect(tracked.length).toBeGreaterThan(5);
  expect(tracked.filter((file) => /\.tfstate|\.tfplan$|terraform\.tfvars$|\.terraform\//.test(file))).toEqual([]);
});

const missing = missingForTerraform();
if (missing) test.skip(`terraform/ is not judged by its own tools: ${missing}`, () => undefined);
else describe.each(tools().map((tool) => ({ tool, name: tool.name })))('$name', ({ tool }) => judge(tool));

function judge(tool: Tool): void {
  let workspace: Workspace;
  beforeAll(() => {
    workspace = new Workspace(tool);
  });
  afterAll(() => workspace.remove());

  test('finds every file in the standard form', async () => {
    expect(await workspace.run('terraform', ['fmt', '-check', '-recursive', '-diff'])).toMatchObject({ code: 0, stdout: '' });
  });

  describe.each([...ROOTS, ...MODULES])('%s', (folder) => {
    test(
      'is valid',
      async () => {
        await workspace.must(folder, ['init', '-backend=false', '-input=false']);
        expect(await workspace.run(folder, ['validate', '-no-color'])).toMatchObject({ code: 0, stderr: '' });
      },
      LONG,
    );
  });

  test(
    'passes the tests of the bootstrap with a mocked provider',
    async () => {
      const { code, stdout, stderr } = await workspace.run(MODULES[0] ?? '', ['test', '-no-color']);
      expect({ code, failed: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, failed: '' });
    },
    LONG,
  );

  describe('a cluster that kind makes', () => {
    const root = 'terraform/clusters/local';
    const environment = (): Record<string, string> => ({
      PATH: `${workspace.path('bin')}:${process.env.PATH}`,
      KIND_STATE: workspace.path('kind'),
      TF_VAR_create_local_cluster: 'true',
      TF_VAR_kubeconfig: workspace.path('local.kubeconfig'),
    });
    const kind = (...args: readonly string[]) => workspace.run(root, [...args, '-target=module.kind', '-no-color'], environment());
    const calls = (): string[] => readFileSync(workspace.path('kind', 'calls'), 'utf8').trim().split('\n');
    beforeAll(async () => {
      workspace.write('kind/calls', '');
      workspace.write('bin/kind', FAKE_KIND, 0o755);
      await workspace.must(root, ['init', '-backend=false', '-input=false']);
    }, LONG);

    test(
      'gets the ports of its description, and its kubeconfig is a file that others cannot read',
      async () => {
        const { code, stdout, stderr } = await kind('apply', '-auto-approve', '-input=false');
        expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
        const variables = JSON.parse(readFileSync(`${root}/cluster.auto.tfvars.json`, 'utf8'));
        expect(JSON.parse(readFileSync(workspace.path('kind', 'config'), 'utf8'))).toEqual(variables.kind);
        expect(readFileSync(workspace.path('local.kubeconfig'), 'utf8')).toBe('kubeconfig of local\n');
        expect(statSync(workspace.path('local.kubeconfig')).mode & 0o077).toBe(0);
      },
      LONG,
    );

    test(
      'is made once, and thrown away by a destroy',
      async () => {
        expect((await kind('plan', '-detailed-exitcode', '-input=false')).code).toBe(0);
        expect((await kind('destroy', '-auto-approve', '-input=false')).code).toBe(0);
        expect(calls().filter((call) => /^(?:create|delete)/.test(call))).toEqual(['create cluster local', 'delete cluster local']);
        expect(existsSync(workspace.path('local.kubeconfig'))).toBe(false);
      },
      LONG,
    );

    test(
      'can be planned with everything that comes after it, before there is a cluster to ask',
      async () => {
        const made = await makeCertificate({ organization: 'test', commonName: 'test', bits: 2048 });
        workspace.write('secrets/local/sealing.crt', made.certificate);
        const { clusters, files } = synthesize([exampleLocal], { store: () => memoryStore('everything') });
        for (const [file, text] of files) if (/^local\/(?:root|namespaces)\//.test(file)) workspace.write(`dist/${file}`, text);
        const [first] = clusters;
        if (!first) throw new Error('The example was not built.');
        workspace.write(`${root}/${VARIABLES_FILE}`, terraformVariables(first.built, { secretsDirectory: workspace.path('secrets') }));
        const key = workspace.write('.keys/local.key', 'stands for a key', 0o600);
        const environmentWithKey = {
          ...environment(),
          TF_VAR_sealing_key_file: key,
          TF_VAR_kubeconfig: workspace.path('later.kubeconfig'),
        };
        const { code, stdout, stderr } = await workspace.run(root, ['plan', '-input=false', '-no-color'], environmentWithKey);
        expect({ code, said: code === 0 ? '' : stderr }).toEqual({ code: 0, said: '' });
        expect(stdout).toContain('module.kind[0].terraform_data.cluster will be created');
        expect(stdout).toContain('module.bootstrap.kubectl_manifest.root will be created');
      },
      LONG,
    );
  });

  // OpenTofu keeps an entry for its own registry instead.
  if (tool.name === 'terraform')
    test('refuses a provider that is not the one of the lock file', async () => {
      const own = new Workspace(tool);
      try {
        copyFileSync(`${ROOTS[0]}/.terraform.lock.hcl`, own.path(`${ROOTS[0]}/.terraform.lock.hcl`));
        // The mirror's was built here, so its bytes are others than upstream's.
        const { code, stderr } = await own.run(ROOTS[0] ?? '', ['init', '-backend=false', '-input=false', '-no-color']);
        expect(code).toBe(1);
        expect(flat(stderr)).toContain("doesn't match any of the checksums previously recorded in the dependency lock file");
      } finally {
        own.remove();
      }
    });
}

/** Notes what it is asked, and answers as kind does. */
const FAKE_KIND = `#!/usr/bin/env bash
set -euo pipefail
name() { while [ $# -gt 0 ]; do [ "$1" != --name ] || echo "$2"; shift; done; }
echo "$1 $2 $(name "$@")" >>"$KIND_STATE/calls"
case "$1 $2" in
  'get clusters') cat "$KIND_STATE/clusters" 2>/dev/null || true ;;
  'create cluster')
    while [ $# -gt 0 ]; do [ "$1" != --config ] || cat "$2" >"$KIND_STATE/config"; shift; done
    echo local >"$KIND_STATE/clusters" ;;
  'get kubeconfig') echo "kubeconfig of local" ;;
  'delete cluster') rm "$KIND_STATE/clusters" ;;
esac
`;
