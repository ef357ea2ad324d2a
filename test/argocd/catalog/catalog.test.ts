/**
 * What holds for every upstream chart of the catalogue and every cluster: each pinned chart is there once, in its wave, with namespaces, projects and what it needs.
 * It deliberately knows no chart by name; those are in entries.test.ts.
 */
import { catalog } from '../../../argocd/catalog';
import type { UpstreamChart } from '../../../argocd/catalog/types';
import { chartsWithWorkloads, workload, workloadNames } from '../../../argocd/catalog/workloads';
import type { Flow, Peer, Workload } from '../../../lib/flows';
import type { Cluster } from '../../../lib/model/cluster';
import { charts } from '../../../versions';
import { everyCluster, homelab, local } from './clusters';

const has = (entry: UpstreamChart, cluster: Cluster): boolean => (entry.enabled?.(cluster) ?? true) === true;
const pairs = everyCluster.flatMap(([name, cluster]) =>
  catalog
    .filter((entry) => has(entry, cluster))
    .map((entry): [string, UpstreamChart, Cluster] => [`${entry.name} in ${name}`, entry, cluster]),
);
const isWorkload = (peer: Peer): peer is Workload => 'namespace' in peer;
const ends = (flow: Flow): Workload[] => [flow.from, flow.to].filter(isWorkload);

/** Applications of ours that charts may need. */
const OURS = [
  'namespaces',
  'cert-manager-config',
  'agones-certificates',
  'metallb-config',
  'traefik-config',
  'monitoring-config',
  'sealed-credentials',
  'pihole',
];

test('every pinned chart is in the catalogue exactly once', () => {
  expect(catalog.map((entry) => entry.chart).sort()).toEqual(Object.keys(charts).sort());
});

test('names of Applications are unique', () => {
  expect(new Set(catalog.map((entry) => entry.name)).size).toBe(catalog.length);
});

test('a chart that a cluster lacks says why in a sentence of its own', () => {
  const reasons = catalog.map((entry) => entry.enabled?.(local)).filter((reason) => typeof reason === 'string');
  expect(reasons).toEqual([
    'there is no load balancer (kubernetes.loadBalancer is "none"): Services are published on ports of the node',
    expect.any(String),
    expect.any(String),
    expect.any(String),
  ]);
});

test.each(pairs)('%s needs only Applications that the cluster has', (_, entry, cluster) => {
  const known = [...OURS, ...catalog.filter((other) => has(other, cluster)).map((other) => other.name)];
  expect(entry.needs(cluster).filter((name) => !known.includes(name))).toEqual([]);
});

test.each(pairs)('%s comes after the namespaces', (_, entry, cluster) => {
  expect(entry.needs(cluster)).toContain('namespaces');
});

test('no chart needs itself over a chain of others', () => {
  const needs = new Map(catalog.map((entry) => [entry.name, entry.needs(homelab)]));
  const reaches = (from: string, to: string, seen: ReadonlySet<string>): boolean =>
    (needs.get(from) ?? []).some((next) => next === to || (!seen.has(next) && reaches(next, to, new Set([...seen, next]))));
  expect(catalog.map((entry) => entry.name).filter((name) => reaches(name, name, new Set()))).toEqual([]);
});

test.each(pairs)('the values of %s are plain JSON', (_, entry, cluster) => {
  const values = entry.values(cluster);
  expect(values).toStrictEqual(JSON.parse(JSON.stringify(values)));
});

test.each(pairs)('no part of the values of %s is shared, so that no YAML writer makes an alias of it', (_, entry, cluster) => {
  const seen = new Set<unknown>();
  const repeated: unknown[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (seen.has(value)) repeated.push(value);
    seen.add(value);
    for (const each of Object.values(value)) visit(each);
  };
  visit(entry.values(cluster));
  expect(repeated).toEqual([]);
});

test.each(pairs)('the values of %s are the same when asked for twice', (_, entry, cluster) => {
  expect(JSON.stringify(entry.values(cluster))).toBe(JSON.stringify(entry.values(cluster)));
});

test.each(pairs)('the table of workloads says of %s what its record says', (_, entry, cluster) => {
  const recorded = entry
    .provides(cluster)
    .pods.map((pods) => ({ name: pods.name, namespace: pods.namespace ?? entry.namespace, labels: pods.labels }));
  const named = recorded.filter((pods) => workloadNames(entry.name).includes(pods.name));
  expect(named).toEqual(named.map((pods) => workload(entry.name, pods.name)));
});

test.each(pairs)('the table of workloads names no pods that the record of %s lacks', (_, entry, cluster) => {
  const recorded = entry.provides(cluster).pods.map((pods) => pods.name);
  expect(workloadNames(entry.name).filter((name) => !recorded.includes(name))).toEqual([]);
});

test('the table of workloads has only charts of the catalogue', () => {
  expect(chartsWithWorkloads.filter((name) => !catalog.some((entry) => entry.name === name))).toEqual([]);
});

test('an unknown workload is refused with the ones that there are', () => {
  expect(() => workload('traefik', 'treafik')).toThrow(
    "argocd/catalog/workloads.ts has no workload 'treafik' of chart 'traefik'; it has traefik.",
  );
});

test('an unknown chart is refused with the ones that there are', () => {
  expect(() => workload('treafik', 'traefik')).toThrow(/^argocd\/catalog\/workloads\.ts has no chart 'treafik'; it has argo-cd, /);
});

describe.each(everyCluster)('flows of %s', (_, cluster) => {
  const entries = catalog.filter((entry) => has(entry, cluster));
  const flows = entries.flatMap((entry) => entry.flows(cluster));
  const pods = entries.flatMap((entry) =>
    entry.provides(cluster).pods.map((each) => ({ ...each, namespace: each.namespace ?? entry.namespace })),
  );
  const recordOf = (end: Workload) => pods.find((each) => each.namespace === end.namespace && each.name === end.name);
  const ofCatalog = (end: Workload): boolean => entries.some((entry) => entry.namespace === end.namespace);

  test('name only pods of charts that the cluster has', () => {
    const all = catalog.flatMap((entry) => workloadNames(entry.name).map((name) => workload(entry.name, name)));
    const missing = flows
      .flatMap(ends)
      .filter((end) => all.some((each) => each.namespace === end.namespace && each.name === end.name) && !recordOf(end));
    expect(missing).toEqual([]);
  });

  test('end at ports that the pods have', () => {
    const wrong = flows.filter((flow) => {
      const record = isWorkload(flow.to) ? recordOf(flow.to) : undefined;
      return (
        record &&
        flow.ports.some(
          (port) => !record.ports.some((each) => each.port === port.port && (each.protocol ?? 'TCP') === (port.protocol ?? 'TCP')),
        )
      );
    });
    expect(wrong).toEqual([]);
  });

  test('never select pods of the host network, which no policy holds', () => {
    expect(flows.flatMap(ends).filter((end) => recordOf(end)?.hostNetwork)).toEqual([]);
  });

  test('leave no running workload of the catalogue without any flow', () => {
    const touched = new Set(flows.flatMap(ends).map((end) => `${end.namespace}/${end.name}`));
    // No replicas: there are no pods.
    const idle = ['argocd/argocd-applicationset-controller'];
    const untouched = pods.filter(
      (each) =>
        !each.hostNetwork &&
        each.kind !== 'Job' &&
        !touched.has(`${each.namespace}/${each.name}`) &&
        !idle.includes(`${each.namespace}/${each.name}`),
    );
    expect(untouched.map((each) => each.name)).toEqual([]);
  });

  test('are declared once', () => {
    const texts = flows.map((flow) => JSON.stringify([flow.from, flow.to, flow.ports]));
    expect(texts.filter((text, at) => texts.indexOf(text) !== at)).toEqual([]);
  });

  test('have a reason that is a sentence', () => {
    expect(flows.map((flow) => flow.because).filter((reason) => !/^[A-Z].*\.$/.test(reason))).toEqual([]);
  });

  test('select pods of the catalogue by their recorded labels', () => {
    const wrong = flows
      .flatMap(ends)
      .filter((end) => ofCatalog(end) && recordOf(end) && JSON.stringify(recordOf(end)?.labels) !== JSON.stringify(end.labels));
    expect(wrong).toEqual([]);
  });
});
