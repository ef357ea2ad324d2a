/**
 * Every label selector selects what it is meant for: something that exists, its own workload, and not the pods of a second one.
 * It deliberately does not judge which pods a NetworkPolicy ought to select (network-policy does); a selector of everything in a namespace is a choice.
 */
import type { BuiltObject } from '../build';
import { isGroup } from '../network-policies';
import { type Finding, list, reported } from './finding';
import { type Inventory, inventoryOf, type KnownPods } from './inventory';
import { describeSelector, type LabelSelector, matches } from './label-index';
import { monitored } from './resolved-references';
import type { Check, CheckInput, PodTemplate } from './types';

export const resolvedSelectors: Check = {
  id: 'resolved-selectors',
  why: 'A selector that selects nothing is no error to Kubernetes: the Service has no endpoints, the monitor no targets, the policy opens nothing, the budget protects nobody. One that selects too much sends players to pods that do not serve them.',
  run: (input) => {
    const inventory = inventoryOf(input);
    return reported(resolvedSelectors, input, [
      ...workloads(input, inventory),
      ...services(input, inventory),
      ...budgets(input, inventory),
      ...monitors(input, inventory),
      ...policies(input, inventory),
      ...input.podTemplates.flatMap((template) => placement(template, inventory)),
      ...pools(input),
    ]);
  },
};

/** Kinds whose controller owns the pods that its selector matches. */
const CONTROLLERS = ['Deployment', 'StatefulSet', 'DaemonSet'];

function workloads(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  for (const { object: by, labels } of input.podTemplates) {
    const { kind, metadata, spec } = by.manifest;
    if (!CONTROLLERS.includes(kind)) continue;
    const selector: LabelSelector = spec.selector ?? {};
    if (isEmpty(selector) || !matches(selector, labels)) {
      findings.push({
        by,
        field: 'spec.selector',
        message: `It selects ${describeSelector(selector)}, which is not what its own pods are labelled with (${describeSelector({ matchLabels: labels })}).`,
        fix: 'Use one constant for the selector and add it to the labels of the pod template; the API refuses anything else.',
      });
      continue;
    }
    const others = inventory.podsIn(metadata.namespace ?? '', selector).filter((pods) => pods.object !== by);
    if (others.length > 0) {
      findings.push({
        by,
        field: 'spec.selector',
        message: `It selects ${describeSelector(selector)}, which are labels of the pods of ${list(others.map(({ owner }) => owner))} as well.`,
        fix: "Add a label to the selector and to the pod template that only this workload has, such as 'app.kubernetes.io/component'.",
      });
    }
  }
  return findings;
}

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: string | number;
}

function services(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  for (const by of input.ofKind('Service')) {
    const { metadata, spec } = by.manifest;
    if (!spec?.selector || spec.type === 'ExternalName') continue;
    const selector = { matchLabels: spec.selector };
    const pods = inventory.podsIn(metadata.namespace ?? '', selector);
    if (pods.length === 0) {
      findings.push(nothing(by, 'spec.selector', selector, `pods in namespace '${metadata.namespace}'`));
      continue;
    }
    // A named port leads only to pods that have it; a number leads to all of them.
    const ports: readonly ServicePort[] = spec.ports ?? [];
    const receiving = owners(
      pods.filter((each) =>
        ports.some(({ port, targetPort = port }) => typeof targetPort === 'number' || each.ports.some(({ name }) => name === targetPort)),
      ),
    );
    if (receiving.length > 1) {
      findings.push({
        by,
        field: 'spec.selector',
        message: `It selects ${describeSelector(selector)} and so sends to pods of ${list(receiving)}.`,
        fix: 'Add a label to the selector that only one of these workloads has.',
      });
    }
  }
  return findings;
}

function budgets(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  const coveredBy = new Map<KnownPods, BuiltObject>();
  for (const by of input.ofKind('PodDisruptionBudget')) {
    const { metadata, spec } = by.manifest;
    const selector: LabelSelector = spec?.selector ?? {};
    const pods = inventory.podsIn(metadata.namespace ?? '', selector);
    if (pods.length === 0) findings.push(nothing(by, 'spec.selector', selector, `pods in namespace '${metadata.namespace}'`));
    for (const each of pods) {
      const other = coveredBy.get(each);
      if (other) {
        findings.push({
          by,
          field: 'spec.selector',
          message: `The pods of ${each.owner} are selected by the budget ${other.manifest.metadata.name} already, and the API evicts no pod that has two.`,
          fix: 'Keep one budget for each workload, or make the selectors of the two disjoint.',
        });
      } else coveredBy.set(each, by);
    }
  }
  return findings;
}

function monitors(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  for (const by of [...input.ofKind('ServiceMonitor'), ...input.ofKind('PodMonitor')]) {
    const selector: LabelSelector = by.manifest.spec?.selector ?? {};
    const services = by.manifest.kind === 'ServiceMonitor';
    const namespaces = monitored(by, inventory);
    const found = namespaces.some((namespace) =>
      services ? inventory.servicesIn(namespace, selector).length > 0 : inventory.hasPodsIn(namespace, selector),
    );
    if (!found)
      findings.push(
        nothing(
          by,
          'spec.selector',
          selector,
          `${services ? 'Services' : 'pods'} in namespace ${list(namespaces.map((name) => `'${name}'`))}`,
        ),
      );
  }
  return findings;
}

interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
}

function policies(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  const empty = emptyGroups(input);
  const known = new Map<string, boolean>();
  for (const by of input.ofKind('NetworkPolicy')) {
    const { metadata, spec } = by.manifest;
    const own = metadata.namespace ?? '';
    if (!isEmpty(spec?.podSelector ?? {}) && !inventory.hasPodsIn(own, spec.podSelector)) {
      findings.push(nothing(by, 'spec.podSelector', spec.podSelector, `pods in namespace '${own}'`));
    }
    for (const [direction, key] of [
      ['ingress', 'from'],
      ['egress', 'to'],
    ] as const) {
      (spec?.[direction] ?? []).forEach((rule: Record<string, readonly PolicyPeer[] | undefined>, ruleIndex: number) => {
        (rule[key] ?? []).forEach((peer, peerIndex) => {
          if (!peer.podSelector && !peer.namespaceSelector) return;
          const id = JSON.stringify([peer.namespaceSelector ? '' : own, peer.namespaceSelector, peer.podSelector]);
          if (empty.has(JSON.stringify([peer.namespaceSelector?.matchLabels, peer.podSelector?.matchLabels]))) return;
          let exists = known.get(id);
          if (exists === undefined) {
            const namespaces = peer.namespaceSelector ? inventory.namespaces(peer.namespaceSelector) : [own];
            exists = peer.podSelector
              ? namespaces.some((namespace) => inventory.hasPodsIn(namespace, peer.podSelector ?? {}))
              : namespaces.length > 0;
            known.set(id, exists);
          }
          if (exists) return;
          const where = peer.namespaceSelector ? `namespaces with ${describeSelector(peer.namespaceSelector)}` : `namespace '${own}'`;
          const field = `spec.${direction}[${ruleIndex}].${key}[${peerIndex}]`;
          findings.push(
            peer.podSelector
              ? nothing(by, field, peer.podSelector, `pods in ${where}`)
              : nothing(by, field, peer.namespaceSelector ?? {}, 'namespaces of this cluster'),
          );
        });
      });
    }
  }
  return findings;
}

/** Groups of flows that have no member in this cluster (no realm yet): their peer selects nobody, and will when there is one. */
function emptyGroups(input: CheckInput): Set<string> {
  const groups = input.built.flows.flatMap(({ from, to }) => [from, to]).filter(isGroup);
  return new Set(
    groups.filter(({ members }) => members.length === 0).map((group) => JSON.stringify([group.namespaceLabels, group.podLabels])),
  );
}

/** Spreading counts the workload's own pods, or it spreads nothing; affinity names pods that exist. */
function placement({ object: by, path, labels, spec }: PodTemplate, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  const own = by.manifest.metadata.namespace ?? '';
  (spec.topologySpreadConstraints ?? []).forEach((constraint: { labelSelector?: LabelSelector; topologyKey?: string }, index: number) => {
    const selector = constraint.labelSelector ?? {};
    if (!isEmpty(selector) && matches(selector, labels)) return;
    findings.push({
      by,
      field: `${path}.topologySpreadConstraints[${index}].labelSelector`,
      message: `It counts pods with ${isEmpty(selector) ? 'no labels at all' : describeSelector(selector)}, which is not what its own pods are labelled with.`,
      fix: "Count by the workload's own selector, so that its pods are kept apart from each other.",
    });
  });
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    for (const [at, term] of affinityTerms(spec.affinity?.[kind], `${path}.affinity.${kind}`)) {
      const namespaces = term.namespaceSelector ? inventory.namespaces(term.namespaceSelector) : (term.namespaces ?? [own]);
      const selector = term.labelSelector ?? {};
      if (namespaces.some((namespace) => inventory.hasPodsIn(namespace, selector))) continue;
      findings.push(nothing(by, `${at}.labelSelector`, selector, `pods in namespace ${list(namespaces.map((name) => `'${name}'`))}`));
    }
  }
  return findings;
}

interface AffinityTerm {
  readonly labelSelector?: LabelSelector;
  readonly namespaces?: readonly string[];
  readonly namespaceSelector?: LabelSelector;
}

interface Affinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly AffinityTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly { readonly podAffinityTerm: AffinityTerm }[];
}

function affinityTerms(affinity: Affinity | undefined, at: string): [string, AffinityTerm][] {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...required.map((term, index): [string, AffinityTerm] => [`${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`, term]),
    ...preferred.map((each, index): [string, AffinityTerm] => [
      `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm`,
      each.podAffinityTerm ?? {},
    ]),
  ];
}

/** Pools that advertisements select by label. */
function pools(input: CheckInput): Finding[] {
  const findings: Finding[] = [];
  for (const by of input.ofKind('L2Advertisement')) {
    (by.manifest.spec?.ipAddressPoolSelectors ?? []).forEach((selector: LabelSelector, index: number) => {
      const found = input.ofKind('IPAddressPool').some(({ manifest }) => matches(selector, manifest.metadata.labels ?? {}));
      if (!found) findings.push(nothing(by, `spec.ipAddressPoolSelectors[${index}]`, selector, 'address pools'));
    });
  }
  return findings;
}

function nothing(by: BuiltObject, field: string, selector: LabelSelector, what: string): Finding {
  return {
    by,
    field,
    message: `It selects ${describeSelector(selector)}, and there are no such ${what}.`,
    fix: 'Use the labels of the pods or Services that are meant (one constant for both); for those of an upstream chart, the record in argocd/catalog.',
  };
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

/** Pods of a custom resource are one workload, whatever their role. */
function owners(pods: readonly KnownPods[]): string[] {
  const byOwner = new Map<unknown, string>();
  for (const each of pods) if (!byOwner.has(each.object ?? each.owner)) byOwner.set(each.object ?? each.owner, each.owner);
  return [...byOwner.values()];
}
