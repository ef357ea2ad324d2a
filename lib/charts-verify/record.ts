/**
 * Whether a catalogue entry's record says exactly what its chart rendered: nothing that is not there, and nothing that is there left out.
 * It deliberately knows no Helm: it compares a record with manifests, wherever they come from.
 */
import type { HardeningException, ProvidedPods, Provides } from '../../argocd/catalog/types';
import { findShortfalls } from './hardening';
import {
  dig,
  groupKindOf,
  hookOf,
  identityOf,
  isClusterScoped,
  type Manifest,
  namespaceOf,
  type Port,
  type RenderedWorkload,
  servicesOf,
  workloadsOf,
} from './rendered';

/** One thing that is not as it should be. */
export interface Difference {
  /** Short name of the rule, such as `not-rendered`. */
  readonly rule: string;
  /** What it is about, such as `Service traefik/traefik`. */
  readonly place: string;
  /** A sentence that says what is wrong and what would be right. */
  readonly message: string;
}

/** What of an entry is compared. */
export interface RecordedChart {
  readonly namespace: string;
  readonly provides: Provides;
  readonly acceptedHooks?: Readonly<Record<string, string>>;
  readonly exceptions?: readonly HardeningException[];
}

/** Every difference between the record and the manifests, in a fixed order. */
export function compareRecord(chart: RecordedChart, manifests: readonly Manifest[]): readonly Difference[] {
  return [
    ...compareNames('CustomResourceDefinition', chart.provides.crds, names(manifests, 'CustomResourceDefinition')),
    ...compareNames('IngressClass', chart.provides.ingressClasses ?? [], names(manifests, 'IngressClass')),
    ...compareServices(chart, manifests),
    ...comparePods(chart, manifests),
    ...compareNames('Secret', chart.provides.secrets ?? [], qualified(manifests, 'Secret', chart.namespace)),
    // Complete lists of these would only be long: recorded is what others refer to.
    ...compareNames('ConfigMap', chart.provides.configMaps ?? [], qualified(manifests, 'ConfigMap', chart.namespace), 'recorded only'),
    ...compareNames(
      'ServiceAccount',
      chart.provides.serviceAccounts ?? [],
      qualified(manifests, 'ServiceAccount', chart.namespace),
      'recorded only',
    ),
    ...compareNames('cluster-scoped kind', chart.provides.clusterKinds ?? [], distinct(manifests.filter(isClusterScoped).map(groupKindOf))),
    ...compareNames('namespace', chart.provides.namespaces ?? [], otherNamespaces(chart, manifests)),
    ...compareHooks(chart, manifests),
    ...compareHardening(chart, manifests),
    ...findPrivateKeys(manifests, chart.namespace),
  ];
}

function names(manifests: readonly Manifest[], kind: string): readonly string[] {
  return manifests.filter((each) => each.kind === kind).map((each) => each.metadata.name);
}

function qualified(manifests: readonly Manifest[], kind: string, releaseNamespace: string): readonly string[] {
  return manifests.filter((each) => each.kind === kind).map((each) => `${namespaceOf(each, releaseNamespace)}/${each.metadata.name}`);
}

function compareNames(
  kind: string,
  recorded: readonly string[],
  rendered: readonly string[],
  completeness: 'complete' | 'recorded only' = 'complete',
): readonly Difference[] {
  const missing = recorded
    .filter((name) => !rendered.includes(name))
    .map((name) => notRendered(`${kind} ${name}`, `The record has it, but the chart renders ${list(rendered)}.`));
  if (completeness === 'recorded only') return missing;
  return [...missing, ...rendered.filter((name) => !recorded.includes(name)).map((name) => notRecorded(`${kind} ${name}`))];
}

function otherNamespaces(chart: RecordedChart, manifests: readonly Manifest[]): readonly string[] {
  return distinct(manifests.map((each) => namespaceOf(each, chart.namespace))).filter(
    (namespace) => namespace !== '' && namespace !== chart.namespace,
  );
}

function distinct(items: readonly string[]): readonly string[] {
  return [...new Set(items)].sort();
}

function compareHardening(chart: RecordedChart, manifests: readonly Manifest[]): readonly Difference[] {
  const exceptions = (chart.exceptions ?? []).flatMap(({ container, rules }) => rules.map((rule) => ({ container, rule })));
  const shortfalls = findShortfalls(manifests);
  const same = (a: { container: string; rule: string }) => (b: { container: string; rule: string }) =>
    a.container === b.container && a.rule === b.rule;
  return [
    ...shortfalls
      .filter((each) => !exceptions.some(same(each)))
      .map(({ container, rule }) => ({
        rule: 'hardening',
        place: container,
        message: `The container does not keep the rule '${rule}'. Set the chart's value for it; where the chart has none or the program needs it, say so in the entry's exceptions.`,
      })),
    ...exceptions
      .filter((each) => !shortfalls.some(same(each)))
      .map(({ container, rule }) => ({
        rule: 'needless-exception',
        place: container,
        message: `The container keeps the rule '${rule}', so that the exception can go.`,
      })),
  ];
}

function compareServices(chart: RecordedChart, manifests: readonly Manifest[]): readonly Difference[] {
  const rendered = servicesOf(manifests, chart.namespace);
  const differences: Difference[] = [];
  const key = (service: { name: string; namespace?: string }): string => `${service.namespace ?? chart.namespace}/${service.name}`;
  for (const recorded of chart.provides.services) {
    const place = `Service ${key(recorded)}`;
    const service = rendered.find((each) => key(each) === key(recorded));
    if (!service) {
      differences.push(notRendered(place, `The record has it, but the chart renders ${list(rendered.map(key))}.`));
      continue;
    }
    differences.push(...comparePorts(place, recorded.ports, service.ports), ...compareLabels(place, recorded.labels ?? {}, service.labels));
  }
  const known = chart.provides.services.map(key);
  return [
    ...differences,
    ...rendered.filter((service) => !known.includes(key(service))).map((service) => notRecorded(`Service ${key(service)}`)),
  ];
}

function comparePods(chart: RecordedChart, manifests: readonly Manifest[]): readonly Difference[] {
  const rendered = workloadsOf(manifests, chart.namespace);
  const accepted = new Set(Object.keys(chart.acceptedHooks ?? {}));
  const differences: Difference[] = [];
  const key = (pods: { kind: string; name: string; namespace?: string }): string =>
    `${pods.kind} ${pods.namespace ?? chart.namespace}/${pods.name}`;
  for (const recorded of chart.provides.pods) {
    const place = key(recorded);
    const workload = rendered.find((each) => key(each) === place);
    if (!workload) {
      differences.push(notRendered(place, `The record has it, but the chart renders ${list(rendered.map(key))}.`));
      continue;
    }
    differences.push(...compareWorkload(place, recorded, workload));
    if (Object.keys(recorded.labels).length === 0) {
      differences.push({
        rule: 'selects-everything',
        place,
        message: 'The record has no labels, and a policy with them would select every pod of the namespace.',
      });
    }
    // A hook's pods run for a moment and may share the labels, and with them the flows, of what they serve.
    if (workload.hook !== undefined) continue;
    const others = rendered.filter(
      (other) =>
        other !== workload &&
        other.hook === undefined &&
        other.namespace === workload.namespace &&
        Object.entries(recorded.labels).every(([label, value]) => other.labels[label] === value),
    );
    if (others.length > 0) {
      differences.push({
        rule: 'ambiguous-labels',
        place,
        message: `The recorded labels ${show(recorded.labels)} also select ${list(others.map(key))}; record one more label that only these pods carry.`,
      });
    }
  }
  const known = chart.provides.pods.map(key);
  const missing = rendered.filter(
    (workload) => !known.includes(key(workload)) && !(workload.hook !== undefined && accepted.has(`${workload.kind}/${workload.name}`)),
  );
  return [...differences, ...missing.map((workload) => notRecorded(key(workload)))];
}

function compareWorkload(place: string, recorded: ProvidedPods, workload: RenderedWorkload): readonly Difference[] {
  const account = recorded.serviceAccount ?? 'default';
  return [
    ...compareLabels(place, recorded.labels, workload.labels),
    // An operator's pods are known by its source code, which may add ports: recorded ones must be among them.
    ...comparePorts(
      place,
      recorded.ports,
      recorded.kind === 'Operator' ? workload.ports.filter((port) => recorded.ports.some((each) => samePort(each, port))) : workload.ports,
    ),
    ...(account === workload.serviceAccount ? [] : [differs(place, `service account '${account}'`, `'${workload.serviceAccount}'`)]),
    ...((recorded.hostNetwork ?? false) === workload.hostNetwork
      ? []
      : [differs(place, `hostNetwork ${recorded.hostNetwork ?? false}`, String(workload.hostNetwork))]),
  ];
}

function comparePorts(
  place: string,
  recorded: readonly { name?: string; port: number; protocol?: string }[],
  rendered: readonly Port[],
): readonly Difference[] {
  const missing = recorded.filter((port) => !rendered.some((each) => samePort(port, each)));
  const unknown = rendered.filter((port) => !recorded.some((each) => samePort(each, port)));
  return [
    ...missing.map((port) => differs(place, `port ${showPort(port)}`, list(rendered.map(showPort)))),
    ...unknown.map((port) => ({
      rule: 'not-recorded',
      place,
      message: `The chart renders port ${showPort(port)}; the record has ${list(recorded.map(showPort))}.`,
    })),
  ];
}

function samePort(a: { name?: string; port: number; protocol?: string }, b: { name?: string; port: number; protocol?: string }): boolean {
  return a.name === b.name && a.port === b.port && (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP');
}

function showPort(port: { name?: string; port: number; protocol?: string }): string {
  return `${port.name ? `${port.name} ` : ''}${port.port}/${port.protocol ?? 'TCP'}`;
}

function compareLabels(
  place: string,
  recorded: Readonly<Record<string, string>>,
  rendered: Readonly<Record<string, string>>,
): readonly Difference[] {
  return Object.entries(recorded)
    .filter(([label, value]) => rendered[label] !== value)
    .map(([label, value]) =>
      differs(place, `label ${label}: ${value}`, rendered[label] === undefined ? `only ${show(rendered)}` : `${label}: ${rendered[label]}`),
    );
}

function compareHooks(chart: RecordedChart, manifests: readonly Manifest[]): readonly Difference[] {
  const accepted = chart.acceptedHooks ?? {};
  const hooks = manifests.filter((each) => hookOf(each) !== undefined);
  const key = (manifest: Manifest): string => `${manifest.kind}/${manifest.metadata.name}`;
  return [
    ...hooks
      .filter((each) => accepted[key(each)] === undefined)
      .map((each) => ({
        rule: 'hook',
        place: identityOf(each, chart.namespace),
        message: `The chart renders a Helm hook (${hookOf(each)}), which Argo CD would run at its syncs. Turn it off by a value, or accept it in the entry's acceptedHooks as '${key(each)}' with the reason.`,
      })),
    ...Object.keys(accepted)
      .filter((name) => !hooks.some((each) => key(each) === name))
      .map((name) => notRendered(name, 'acceptedHooks has it, but the chart renders no such hook.')),
  ];
}

/** A private key in a rendered Secret is either the chart's sample or was made at this render: neither may come from Git. */
function findPrivateKeys(manifests: readonly Manifest[], releaseNamespace: string): readonly Difference[] {
  return manifests
    .filter((each) => each.kind === 'Secret')
    .flatMap((each) => {
      const data = Object.entries((dig(each, 'data') as Record<string, string> | null | undefined) ?? {}).map(
        ([key, value]): [string, string] => [key, Buffer.from(String(value), 'base64').toString('latin1')],
      );
      const plain = Object.entries((dig(each, 'stringData') as Record<string, string> | null | undefined) ?? {});
      return [...data, ...plain]
        .filter(([, value]) => /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(String(value)))
        .map(([key]) => ({
          rule: 'private-key',
          place: identityOf(each, releaseNamespace),
          message: `The chart renders a private key under '${key}'. Have cert-manager or Sealed Secrets make the Secret, and turn the chart's off.`,
        }));
    });
}

/**
 * What differs between two renders of one chart with the same values: random passwords and certificates, times.
 * @returns one difference for each object that is not the same in both
 */
export function compareRenders(
  first: string,
  second: string,
  manifestsOf: (text: string) => readonly Manifest[],
  releaseNamespace: string,
): readonly Difference[] {
  if (first === second) return [];
  const objects = (text: string): Map<string, string> =>
    new Map(manifestsOf(text).map((each) => [identityOf(each, releaseNamespace), JSON.stringify(each)]));
  const [a, b] = [objects(first), objects(second)];
  const changed = [...new Set([...a.keys(), ...b.keys()])].filter((identity) => a.get(identity) !== b.get(identity));
  return (changed.length > 0 ? changed : ['the text']).map((place) => ({
    rule: 'random',
    place,
    message:
      'Two renders with the same values differ, so that every refresh of Argo CD would change it. Find the value that makes the chart use something fixed.',
  }));
}

function notRendered(place: string, message: string): Difference {
  return { rule: 'not-rendered', place, message };
}

function notRecorded(place: string): Difference {
  return {
    rule: 'not-recorded',
    place,
    message: 'The chart renders it, but the record does not have it: add it, or turn it off by a value.',
  };
}

function differs(place: string, recorded: string, rendered: string): Difference {
  return { rule: 'differs', place, message: `The record says ${recorded}; the chart renders ${rendered}.` };
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ');
}

function show(labels: Readonly<Record<string, string>>): string {
  return `{ ${Object.entries(labels)
    .map(([label, value]) => `${label}: ${value}`)
    .join(', ')} }`;
}
