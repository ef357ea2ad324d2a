/** The doctor against real API servers, through a real kubectl: what a server without operators answers is understood, and nothing is changed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Diagnosis } from '../../lib/doctor';
import { makeKubectl } from '../../lib/kubectl';
import { type RunProgram, runProgram } from '../../lib/programs';
import { complaints, description, examine, healthyProject } from '../doctor/project';
import { findBinaries } from './binaries';
import { kubeconfigText } from './control-plane';
import { runningPlanes, type TestPlane } from './planes';

const LIVE = ['cluster', 'clock', 'storage', 'operators', 'argo cd', 'certificates', 'backups', 'players'];
const planes = runningPlanes().filter((plane) => plane.cluster === 'homelab' && plane.controllers);

if (planes.length === 0) test.skip('The doctor is not tried: there are no controllers in KUBEBUILDER_ASSETS.', () => undefined);
else
  describe.each(planes.map((plane) => ({ plane, version: plane.version })))('the doctor on Kubernetes $version', ({ plane, version }) =>
    judge(plane, version),
  );

function judge(plane: TestPlane, version: string): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'doctor-'));
  const kubeconfig = path.join(folder, 'kubeconfig');
  const program = findBinaries().find((each) => each.version === plane.version)?.kubectl ?? 'kubectl';
  const verbs: string[] = [];
  const run: RunProgram = (_program, args, options) => {
    verbs.push(args.filter((each) => !each.startsWith('-') && each !== kubeconfig)[0] ?? '');
    return runProgram(program, args, options);
  };
  let root: string;
  let found: readonly Diagnosis[];
  const of = (check: string) => found.filter((each) => each.check === check).map(({ outcome, text }) => `${outcome}: ${text}`);

  beforeAll(async () => {
    writeFileSync(kubeconfig, kubeconfigText(plane), { mode: 0o600 });
    root = (await healthyProject()).root;
    found = await examine(root, { kubectl: makeKubectl(run, { kubeconfig }) }, LIVE);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('knows the version', () => {
    expect(of('kubernetes')).toEqual([`ok: Kubernetes ${version} is one that this project is tested with (1.33 to 1.37).`]);
  });

  test('finds the clocks of the API server and of the nodes', () => {
    expect([...of('own-clock'), ...of('node-clocks')].map((each) => each.split(':')[0])).toEqual(['ok', 'ok']);
  });

  test('finds the StorageClass of the description', () => {
    expect(of('storage-class')).toEqual(["ok: StorageClass 'longhorn' is there (test.invalid/volumes)."]);
  });

  test('compares nodes with the description', () => {
    const names = description.nodes.map(({ name }) => name);
    expect(
      complaints(found)
        .filter((each) => each.startsWith('cluster/'))
        .every((each) => names.some((name) => each.includes(name))),
    ).toBe(true);
  });

  test('names CRDs that are not served', () => {
    expect(of('definitions')[0]).toMatch(/^failed: \d+ of \d+ CRDs are not served: /);
  });

  test('finds no failure of its own in what the server answers', () => {
    expect([...of('answered'), ...of('reachable')]).toEqual([]);
  });

  test('asks, and changes nothing but in a dry run', () => {
    // A broker that runs is asked for its own /readyz by exec; whether one does depends on how far the controllers are.
    expect([...new Set([...verbs, 'exec'])].sort()).toEqual(['create', 'exec', 'get', 'version']);
  });

  test('says in one line when nobody answers', async () => {
    const away = path.join(folder, 'away');
    writeFileSync(away, kubeconfigText({ ...plane, port: 1 }), { mode: 0o600 });
    const answers = await examine(root, { kubectl: makeKubectl(run, { kubeconfig: away }) }, LIVE);
    expect(answers.map(({ outcome, check }) => [outcome, check])).toEqual([['failed', 'reachable']]);
  });

  test('says what a person without rights may not see', async () => {
    const guest = path.join(folder, 'guest');
    writeFileSync(guest, kubeconfigText({ ...plane, token: 'nobody' }), { mode: 0o600 });
    const answers = await examine(root, { kubectl: makeKubectl(run, { kubeconfig: guest }) }, ['cluster']);
    expect(answers.map(({ outcome, check }) => [outcome, check])).toEqual([['skipped', 'allowed']]);
  });
}
