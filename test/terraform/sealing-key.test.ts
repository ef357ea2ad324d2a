/** The script that gives the sealing key to a cluster, with a kubectl that notes what it is given: the private key must be no argument, no output and no file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SCRIPT = 'terraform/modules/bootstrap/scripts/sealing-key.sh';
/** Stands for the key in what kubectl makes of it, and is larger than what Bash puts into a pipe instead of a file. */
const MARK = 'the-private-half';
const KUBECTL = `#!/usr/bin/env bash
case "$*" in
  *' get secrets '*) ;;
  *' create secret tls '*) printf '${MARK}%.0s' {1..8192} ;;
  *' get deployment '*) ;;
  *) readlink /proc/self/fd/0 >>"$NOTES"; cat >/dev/null ;;
esac
printf '%s\\n' "$*" >>"$NOTES"
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sealing-key-'));
  writeFileSync(path.join(folder, 'kubectl'), KUBECTL, { mode: 0o755 });
  writeFileSync(path.join(folder, 'certificate'), 'a certificate');
  writeFileSync(path.join(folder, 'key'), 'a key', { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function give(): { readonly output: string; readonly notes: string[] } {
  const output = execFileSync('bash', [SCRIPT], {
    encoding: 'utf8',
    stdio: 'pipe',
    env: {
      PATH: `${folder}:${process.env.PATH}`,
      NOTES: path.join(folder, 'notes'),
      TMPDIR: folder,
      KUBECONFIG: path.join(folder, 'kubeconfig'),
      KUBE_CONTEXT: '',
      FIELD_MANAGER: 'argocd-controller',
      NAMESPACE: 'sealed-secrets',
      CONTROLLER: 'sealed-secrets',
      SECRET: 'sealing-key-0123456789ab',
      CERTIFICATE: path.join(folder, 'certificate'),
      KEY: path.join(folder, 'key'),
    },
  });
  return { output, notes: readFileSync(path.join(folder, 'notes'), 'utf8').trim().split('\n') };
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('the private key goes through pipes alone', () => {
  const inputs = give().notes.filter((line) => /^(\/|pipe:)/.test(line));
  expect(inputs.map((input) => input.replace(/:.*/, ''))).toEqual(['pipe', 'pipe']);
});

test('the private key is no argument and no output', () => {
  const { output, notes } = give();
  expect([output, ...notes].filter((text) => text.includes(MARK))).toEqual([]);
});

test('a private key that others can read is refused', () => {
  execFileSync('chmod', ['644', path.join(folder, 'key')]);
  expect(give).toThrow('can be read or changed by others');
});

test("a link to a private key that is its owner's alone is taken", () => {
  renameSync(path.join(folder, 'key'), path.join(folder, 'elsewhere'));
  symlinkSync('elsewhere', path.join(folder, 'key'));
  expect(give().output).toContain('has the sealing key');
});

test('nothing is left behind', () => {
  give();
  expect(readdirSync(folder).sort()).toEqual(['certificate', 'key', 'kubectl', 'notes']);
});
