/** `npm run doctor` from its options to its exit code. */
import { main } from '../../commands/doctor';
import { description, healthyProject, machine, NOW } from './project';

const run = async (args: readonly string[], root: string, descriptions = [description]) => {
  const output: string[] = [];
  const log = jest.spyOn(console, 'log').mockImplementation((text) => void output.push(String(text)));
  const error = jest.spyOn(console, 'error').mockImplementation((text) => void output.push(String(text)));
  try {
    const code = await main(args, { root, now: NOW, run: machine, resolve: async () => ['20.30.40.50'], descriptions });
    return { code, output: output.join('\n') };
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
};

let root: string;
beforeAll(async () => {
  root = (await healthyProject()).root;
});

test('ends with 0 when nothing failed, a line for each check', async () => {
  const { code, output } = await run([], root);
  expect([code, output.split('\n').filter((line) => /^(ok|WARNING|FAILED|-) /.test(line)).length > 15]).toEqual([0, true]);
});

test('ends with 1 when a check failed, and says the fix in its line', async () => {
  const { code, output } = await run(['--router-address', '100.64.0.1'], root);
  expect([code, output.split('\n').filter((line) => line.startsWith('FAILED')).length]).toEqual([1, 1]);
  expect(output).toMatch(/^FAILED +network +The router's address 100\.64\.0\.1 .* Fix: Ask the provider/m);
});

test('prints JSON for programs', async () => {
  const { output } = await run(['--json', '--router-address', '100.64.0.1'], root);
  const { ok, checks } = JSON.parse(output) as {
    ok: boolean;
    checks: { outcome: string; group: string; check: string; cluster?: string; fix?: string }[];
  };
  const [bad] = checks.filter(({ outcome }) => outcome === 'failed');
  expect([ok, bad?.group, bad?.check, bad?.cluster]).toEqual([false, 'network', 'router-address', 'homelab']);
});

test.each([
  [['--cluster', 'nowhere'], /^There is no cluster 'nowhere'; apps\/ has homelab\.$/],
  [['--router-address', 'home.example.org'], /^--router-address takes an IPv4 address such as 203\.0\.113\.7, not 'home\.example\.org'\.$/],
  [['--kubeconfig', 'no/such/file'], /^There is no kubeconfig 'no\/such\/file'\.$/],
  [['--kubeconfg', 'x'], /^Unknown option '--kubeconfg'\. See --help\.$/],
])('%j is wrong usage', async (args, sentence) => {
  const { code, output } = await run(args, root);
  expect(code).toBe(2);
  expect(output).toMatch(sentence);
});

test('does not guess which cluster a kubeconfig leads to', async () => {
  const { code, output } = await run(['--live'], root, [description, { ...description, name: 'other' }]);
  expect([code, output]).toEqual([2, 'Say which cluster the kubeconfig leads to: --cluster NAME, one of homelab, other.']);
});
