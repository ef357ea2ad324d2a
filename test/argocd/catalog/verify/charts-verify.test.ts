/**
 * `npm run charts:verify`, from the charts to its report, with a stand-in for Helm.
 * It deliberately renders no upstream chart: those are not in the repository.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UpstreamChart } from '../../../../argocd/catalog/types';
import { main } from '../../../../commands/charts-verify';
import { countDifferences, verifyCharts } from '../../../../lib/charts-verify';
import { HelmError } from '../../../../lib/charts-verify/helm';
import { charts as pinned } from '../../../../versions';
import { homelab, local } from '../clusters';
import { PROVIDES, RENDERED } from './fixture';

/** The command verifies the clusters of apps/; here those are the examples, whatever people describe there. */
jest.mock('../../../../apps', () => {
  const { exampleHomelab, exampleLocal } = jest.requireActual('../../../examples');
  return { clusters: [exampleHomelab, exampleLocal] };
});

/** A catalogue entry for the small chart, under the name of a pinned one. */
const entry: UpstreamChart = {
  name: 'metallb',
  chart: 'metallb',
  project: 'platform',
  namespace: 'demo',
  summary: 'A chart of the tests.',
  enabled: (cluster) => cluster.name === 'homelab' || 'only homelab has it',
  values: () => ({ replicas: 2 }),
  needs: () => [],
  provides: () => PROVIDES,
  flows: () => [],
};
const second: UpstreamChart = { ...entry, name: 'traefik', chart: 'traefik' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'charts-verify-test-'));
  writeFileSync(join(folder, 'rendered.yaml'), RENDERED);
  for (const name of ['metallb', 'traefik'] as const) chart(name, pinned[name].version);
  helm('cat rendered.yaml');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function chart(name: string, version: string): void {
  mkdirSync(join(folder, 'charts', name, 'templates'), { recursive: true });
  writeFileSync(join(folder, 'charts', name, 'Chart.yaml'), `name: ${name}\nversion: ${version}\n`);
  writeFileSync(join(folder, 'charts', name, 'values.yaml'), 'replicas: 1\n');
}

/** A program that answers `helm template` with what the shell command prints; `$3` is the chart's folder. */
function helm(command: string): void {
  const path = join(folder, 'helm');
  writeFileSync(path, `#!/bin/sh\ncd "$(dirname "$0")"\nif [ "$1" = version ]; then echo v0.0.0-test; else\n${command}\nfi\n`);
  chmodSync(path, 0o755);
}

const verify = (catalog: readonly UpstreamChart[], more: { dist?: string; only?: string[] } = {}) =>
  verifyCharts({
    clusters: [homelab, local],
    catalog,
    helm: join(folder, 'helm'),
    charts: join(folder, 'charts'),
    only: ['metallb', 'traefik'],
    ...more,
  });

test('a chart that renders what its record says has no differences', async () => {
  expect(countDifferences(await verify([entry]))).toBe(0);
});

test('the report counts what was rendered', async () => {
  const [report] = (await verify([entry])).charts;
  expect(report).toMatchObject({
    cluster: 'homelab',
    chart: 'metallb',
    objects: 7,
    crds: 1,
    services: 1,
    workloads: 1,
    secrets: 1,
    hooks: 0,
  });
});

test('a cluster without the chart has the reason in its place', async () => {
  const { charts } = await verify([entry]);
  expect(charts.map((each) => each.off)).toEqual([undefined, 'only homelab has it']);
});

test('a wrong record is a difference', async () => {
  const wrong = { ...entry, provides: () => ({ ...PROVIDES, crds: [] }) };
  expect((await verify([wrong])).charts[0]?.differences.map((each) => each.rule)).toEqual(['not-recorded']);
});

test('a value that the chart does not know is a difference', async () => {
  const wrong = { ...entry, values: () => ({ replica: 2 }) };
  expect((await verify([wrong])).charts[0]?.differences.map((each) => each.place)).toEqual(['replica']);
});

test('a value that repeats the default is no difference', async () => {
  const same = { ...entry, values: () => ({ replicas: 1 }) };
  expect((await verify([same])).charts[0]).toMatchObject({ repeated: ['replicas'], differences: [] });
});

test('something random is a difference', async () => {
  helm('sed "s/aGVsbG8=/$$/" rendered.yaml');
  expect((await verify([entry])).charts[0]?.differences.map((each) => `${each.rule} ${each.place}`)).toEqual([
    'random Secret demo/demo-secret',
  ]);
});

test('a chart that cannot be rendered does not hide the others', async () => {
  helm('case "$3" in *metallb) echo "Error: no way" >&2; exit 1 ;; esac; cat rendered.yaml');
  const { charts } = await verify([entry, second]);
  expect(
    charts.filter((each) => each.cluster === 'homelab').map((each) => each.differences.map((difference) => difference.message)),
  ).toEqual([['helm template failed: Error: no way'], []]);
});

test('an unpacked chart of another version is a difference', async () => {
  chart('metallb', '9.9.9');
  const [report] = (await verify([entry])).charts;
  expect(report?.differences.map((each) => each.message)).toEqual([
    expect.stringMatching(/is version 9\.9\.9 of the chart, but versions\.ts pins /),
  ]);
});

test('an unpacked chart that is missing is a difference', async () => {
  rmSync(join(folder, 'charts', 'metallb'), { recursive: true });
  const [report] = (await verify([entry])).charts;
  expect(report?.differences.map((each) => each.message)).toEqual([expect.stringMatching(/has no Chart\.yaml; unpack metallb /)]);
});

test('a chart that is not unpacked already is fetched from its repository at the pinned version', async () => {
  helm(
    'if [ "$1" = pull ]; then echo "$@" | sed "s/ --untardir.*//" >> pulled; while [ "$1" != --untardir ]; do shift; done; mkdir -p "$2"; cp -r charts/metallb "$2"; else cat rendered.yaml; fi',
  );
  await verifyCharts({ clusters: [homelab], catalog: [entry], helm: join(folder, 'helm') });
  expect(readFileSync(join(folder, 'pulled'), 'utf8')).toBe(
    `pull metallb --repo ${pinned.metallb.repository} --version ${pinned.metallb.version} --untar\n`,
  );
});

test('without Helm there is one sentence that says how to get it', async () => {
  const run = verifyCharts({ clusters: [homelab], catalog: [entry], helm: join(folder, 'none') });
  await expect(run).rejects.toThrow(HelmError);
});

test('an API that no chart of the whole catalogue serves is a difference', async () => {
  const report = await verify([entry], { only: undefined });
  expect(report.differences.map((each) => `${each.rule} ${each.place}`)).toContain('unserved-api monitoring.coreos.com/v1/ServiceMonitor');
});

test('our own custom resources are validated against the CRDs of the charts', async () => {
  mkdirSync(join(folder, 'dist'));
  writeFileSync(
    join(folder, 'dist', 'Thing.x.yaml'),
    'apiVersion: demo.example/v1\nkind: Thing\nmetadata: { name: x }\nspec: { size: 0 }\n',
  );
  const report = await verify([entry], { only: undefined, dist: join(folder, 'dist') });
  expect(report.differences.map((each) => each.rule)).toContain('invalid-custom-resource');
});

test('a missing dist is said by leaving the number out', async () => {
  expect(await verify([entry], { only: undefined, dist: join(folder, 'dist') })).not.toHaveProperty('customResources');
});

describe('the command', () => {
  let printed: string[];
  beforeEach(() => {
    printed = [];
    jest.spyOn(console, 'log').mockImplementation((text) => printed.push(text));
    jest.spyOn(console, 'error').mockImplementation((text) => printed.push(text));
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  const command = (...more: string[]) => main(['--helm', join(folder, 'helm'), '--charts', join(folder, 'charts'), ...more]);

  test('fails when a record and its chart differ', async () => {
    expect(await command('--chart', 'metallb')).toBe(1);
  });

  test('says each difference with the clusters that have it', async () => {
    await command('--chart', 'traefik');
    expect(printed.join('\n')).toContain(
      'homelab, local: traefik: Service traefik/traefik: The record has it, but the chart renders traefik/demo. [not-rendered]',
    );
  });

  test('prints JSON that a program can read', async () => {
    await command('--chart', 'metallb', '--json');
    expect(JSON.parse(printed.join('\n')).charts.map((each: { chart: string }) => each.chart)).toEqual(['metallb', 'metallb']);
  });

  test('refuses a chart that the catalogue does not have', async () => {
    expect(await command('--chart', 'metalb')).toBe(2);
  });

  test('refuses an option that it does not have', async () => {
    expect(await command('--dry-run')).toBe(2);
  });

  test('explains itself', async () => {
    await main(['--help']);
    expect(printed.join('\n')).toContain('Usage: npm run charts:verify');
  });
});
