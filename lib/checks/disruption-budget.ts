/**
 * Workloads that have replicas to spare, and worlds, have a disruption budget; nothing else keeps a node from being drained.
 * It deliberately leaves out what guards itself: Agones' game servers and CloudNativePG's instances have budgets of their operators.
 */
import type { BuiltObject } from '../build';
import { LABELS } from '../platform';
import { type LabelSelector, matches } from './label-index';
import { workloadKey } from './pods';
import { Report } from './report';
import type { Check, CheckInput, PodTemplate } from './types';

export const disruptionBudget: Check = {
  id: 'disruption-budget',
  why: 'Without a budget a drained node ends all replicas at once, and a world while it is played on; with a wrong one the drain never ends and nobody updates the node.',
  run: (input) => {
    const report = new Report(input, disruptionBudget);
    const budgets = byNamespace(input.ofKind('PodDisruptionBudget'));
    const autoscaled = leastReplicas(input);
    for (const template of input.podTemplates) {
      const { object } = template;
      const { kind, metadata, spec } = object.manifest;
      if (kind !== 'Deployment' && kind !== 'StatefulSet') continue;
      const scaled = autoscaled.get(workloadKey(kind, object.manifest));
      const replicas: number = scaled ?? spec?.replicas ?? 1;
      const own = (budgets.get(metadata.namespace ?? '') ?? []).filter(({ manifest }) =>
        matches((manifest.spec?.selector ?? {}) as LabelSelector, template.labels),
      );
      const world = isWorld(template);
      if (own.length > 1) {
        report.say(
          object,
          'spec.template.metadata.labels',
          `Its pods are selected by ${own.length} disruption budgets (${own.map(({ manifest }) => manifest.metadata.name).join(', ')}): Kubernetes refuses to evict such a pod at all.`,
          'Keep one of the budgets, or make their selectors narrower.',
        );
      }
      if (own.length === 0 && replicas > 0 && (world || replicas > 1 || scaled !== undefined)) {
        report.say(
          object,
          'spec.template.metadata.labels',
          world
            ? 'It is a world, and no disruption budget selects it: draining its node ends it without a warning to its players.'
            : `It has ${scaled !== undefined ? 'an autoscaler' : `${replicas} replicas`}, and no disruption budget selects it: draining nodes may end all of them at once.`,
          `Add a PodDisruptionBudget with ${world ? 'maxUnavailable: 0' : 'maxUnavailable: 1'} that selects its labels.`,
        );
      }
      for (const budget of own) judge(report, budget, template, replicas, world);
    }
    return report.violations;
  },
};

/** A world may and shall refuse every eviction; whatever else refuses all holds up the node for nothing. */
function judge(report: Report, budget: BuiltObject, template: PodTemplate, replicas: number, world: boolean): void {
  const { maxUnavailable, minAvailable } = budget.manifest.spec ?? {};
  const field = maxUnavailable !== undefined ? 'spec.maxUnavailable' : 'spec.minAvailable';
  const value = maxUnavailable ?? minAvailable;
  const { kind, metadata } = template.object.manifest;
  const refusesAll = replicas > 0 && evictable(replicas, maxUnavailable, minAvailable) <= 0;
  if (world && !refusesAll && replicas > 0) {
    report.say(
      budget,
      field,
      `${field.slice(5)} ${value} lets a world (${kind} '${metadata.name}') be evicted while it is played on.`,
      'Set maxUnavailable: 0; whoever drains the node stops the world first, with the announcement.',
    );
  } else if (!world && refusesAll) {
    report.say(
      budget,
      field,
      `${field.slice(5)} ${value} never lets ${replicas === 1 ? 'the only pod' : `one of the ${replicas} pods`} of ${kind} '${metadata.name}' be evicted: draining its node would wait for ever.`,
      replicas === 1 ? 'Remove the budget: one replica cannot be moved without an interruption.' : 'Set maxUnavailable: 1.',
    );
  }
}

/** How many pods of `replicas` healthy ones may be evicted. Percentages are rounded up, as the disruption controller does. */
function evictable(replicas: number, maxUnavailable: unknown, minAvailable: unknown): number {
  if (maxUnavailable !== undefined) return share(maxUnavailable, replicas);
  return minAvailable === undefined ? replicas : replicas - share(minAvailable, replicas);
}

function share(value: unknown, replicas: number): number {
  return typeof value === 'string' && value.endsWith('%') ? Math.ceil((Number.parseInt(value, 10) * replicas) / 100) : Number(value);
}

function isWorld({ object, labels }: PodTemplate): boolean {
  return object.manifest.kind === 'StatefulSet' && labels[LABELS.gameServer] === 'true';
}

/** The least number of replicas by target of an autoscaler. */
function leastReplicas(input: CheckInput): Map<string, number> {
  const least = new Map<string, number>();
  for (const { manifest } of input.ofKind('HorizontalPodAutoscaler')) {
    const { scaleTargetRef, minReplicas = 1 } = manifest.spec ?? {};
    if (scaleTargetRef) least.set(workloadKey(scaleTargetRef.kind, manifest, scaleTargetRef.name), minReplicas);
  }
  return least;
}

function byNamespace(objects: readonly BuiltObject[]): Map<string, BuiltObject[]> {
  const map = new Map<string, BuiltObject[]>();
  for (const object of objects) {
    const namespace = object.manifest.metadata.namespace ?? '';
    const list = map.get(namespace);
    if (list) list.push(object);
    else map.set(namespace, [object]);
  }
  return map;
}
