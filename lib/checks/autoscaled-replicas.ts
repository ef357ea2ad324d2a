/**
 * What an autoscaler scales has no number of replicas in Git, and one autoscaler.
 * It deliberately does not judge the autoscaler's own numbers; Agones' traps are `agones-rules`.
 */
import type { BuiltObject } from '../build';
import { workloadKey } from './pods';
import { type Check, type CheckInput, type Violation, violation } from './types';

export const autoscaledReplicas: Check = {
  id: 'autoscaled-replicas',
  why: 'A number in Git is written back at every sync: it ends the servers that the autoscaler started, with the players on them, until the autoscaler starts others.',
  run: (input) => {
    const violations: Violation[] = [];
    const first = new Map<string, BuiltObject>();
    for (const { autoscaler, kind, name, field } of targets(input)) {
      const { namespace } = autoscaler.manifest.metadata;
      const key = workloadKey(kind, autoscaler.manifest, name);
      const other = first.get(key);
      if (other) {
        violations.push(
          violation(
            autoscaledReplicas,
            autoscaler,
            `It scales ${kind} '${name}', which ${other.manifest.kind} '${other.manifest.metadata.name}' scales already: they would undo each other's work.`,
            'Remove one of the two autoscalers.',
            field,
          ),
        );
        continue;
      }
      first.set(key, autoscaler);
      const target = input.find(kind, namespace, name);
      const replicas = target?.manifest.spec?.replicas;
      if (target === undefined || replicas === undefined) continue;
      violations.push(
        violation(
          autoscaledReplicas,
          target,
          `It says ${replicas} replicas, but ${autoscaler.manifest.kind} '${autoscaler.manifest.metadata.name}' owns the number.`,
          "Remove spec.replicas; the least number is the autoscaler's to say.",
          'spec.replicas',
        ),
      );
    }
    return violations;
  },
};

function* targets(input: CheckInput): Generator<{ autoscaler: BuiltObject; kind: string; name: string; field: string }> {
  for (const autoscaler of input.ofKind('HorizontalPodAutoscaler')) {
    const { kind, name } = autoscaler.manifest.spec?.scaleTargetRef ?? {};
    if (kind && name) yield { autoscaler, kind, name, field: 'spec.scaleTargetRef' };
  }
  for (const autoscaler of input.ofKind('FleetAutoscaler')) {
    const name = autoscaler.manifest.spec?.fleetName;
    if (name) yield { autoscaler, kind: 'Fleet', name, field: 'spec.fleetName' };
  }
}
