/** The script that gives Argo CD the repository's credentials, with a kubectl that notes what it is given: a key or token must be no argument, no output and no file. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';

const SCRIPT = 'terraform/modules/bootstrap/scripts/repository-credentials.sh';
/** Larger than what Bash puts into a pipe instead of a file. */
const DEPLOY_KEY = 'the-private-half'.repeat(8192);
const TOKEN = 'open-sesame';
const KUBECTL = `#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$NOTES"
readlink /proc/self/fd/0 >>"$NOTES"
cat >"$GIVEN"
`;

let folder: string;
/** What kubectl was given on its standard input, away from what the script may leave behind. */
let given: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'repository-credentials-'));
  given = mkdtempSync(path.join(tmpdir(), 'given-'));
  writeFileSync(path.join(folder, 'kubectl'), KUBECTL, { mode: 0o755 });
  writeFileSync(path.join(folder, 'deploy-key'), DEPLOY_KEY, { mode: 0o600 });
  writeFileSync(path.join(folder, 'token'), `${TOKEN}\n`, { mode: 0o600 });
});
afterEach(() => {
  for (const each of [folder, given]) rmSync(each, { recursive: true, force: true });
});

function give(credentials: 'deploy-key' | 'token'): { readonly output: string; readonly notes: string[]; readonly data: Data } {
  const output = execFileSync('bash', [SCRIPT], {
    encoding: 'utf8',
    stdio: 'pipe',
    env: {
      PATH: `${folder}:${process.env.PATH}`,
      NOTES: path.join(folder, 'notes'),
      GIVEN: path.join(given, 'object'),
      TMPDIR: folder,
      KUBECONFIG: path.join(folder, 'kubeconfig'),
      KUBE_CONTEXT: '',
      NAMESPACE: 'argocd',
      URL: 'git@git.example.com:you/mmo-backend.git',
      SSH_KEY_FILE: credentials === 'deploy-key' ? path.join(folder, 'deploy-key') : '',
      USERNAME: 'reader',
      TOKEN_FILE: credentials === 'token' ? path.join(folder, 'token') : '',
    },
  });
  const { data } = parse(readFileSync(path.join(given, 'object'), 'utf8')) as { data: Data };
  return { output, notes: readFileSync(path.join(folder, 'notes'), 'utf8').trim().split('\n'), data };
}

type Data = Readonly<Record<string, string>>;
const decoded = (text = ''): string => Buffer.from(text, 'base64').toString();
const onLinux = process.platform === 'linux' ? test : test.skip;

test('the deploy key arrives as it is', () => {
  expect(decoded(give('deploy-key').data.sshPrivateKey)).toBe(DEPLOY_KEY);
});

test("the token arrives without an editor's line feed, with the user's name", () => {
  const { data } = give('token');
  expect([decoded(data.username), decoded(data.password)]).toEqual(['reader', TOKEN]);
});

onLinux('the deploy key goes through a pipe alone', () => {
  const inputs = give('deploy-key').notes.filter((line) => /^(\/|pipe:)/.test(line));
  expect(inputs.map((input) => input.replace(/:.*/, ''))).toEqual(['pipe']);
});

test('the deploy key is no argument and no output', () => {
  const { output, notes } = give('deploy-key');
  expect([output, ...notes].filter((text) => text.includes(DEPLOY_KEY.slice(0, 16)))).toEqual([]);
});

test.each([
  ['deploy-key', 'read', 0o640],
  ['token', 'read', 0o640],
  ['token', 'change', 0o622],
] as const)('a %s that others can %s is refused, and goes nowhere', (credentials, _, mode) => {
  chmodSync(path.join(folder, credentials), mode);
  expect(() => give(credentials)).toThrow(`${credentials} can be read or changed by others; make it yours alone first: chmod 600`);
  expect(readdirSync(given)).toEqual([]);
});

test.each(['deploy-key', 'token'] as const)('a %s that is empty is refused', (credentials) => {
  writeFileSync(path.join(folder, credentials), '');
  expect(() => give(credentials)).toThrow(`${credentials} is empty or cannot be read.`);
});

test('nothing is left behind', () => {
  give('deploy-key');
  expect(readdirSync(folder).sort()).toEqual(['deploy-key', 'kubectl', 'notes', 'token']);
});
