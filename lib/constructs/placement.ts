/**
 * Where game servers run: the node selector and tolerations of a pod, out of the description's placement.
 * It deliberately decides nothing about spreading (world.ts) and about who gives way to whom (priority.ts).
 */
import type { Placement } from '../model/description';

/** A part of a pod's spec, as plain data. Fields that would be empty are left out. */
export interface PlacedPod {
  readonly nodeSelector?: Record<string, string>;
  readonly tolerations?: readonly {
    readonly key: string;
    readonly operator?: 'Exists';
    readonly value?: string;
    readonly effect?: string;
  }[];
}

/** @param node the one node that it may run on. @default any that has the labels */
export function placedPod({ nodeLabels, tolerations }: Placement, node?: string): PlacedPod {
  const nodeSelector = { ...nodeLabels, ...(node === undefined ? {} : { 'kubernetes.io/hostname': node }) };
  return {
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    ...(tolerations.length > 0
      ? {
          tolerations: tolerations.map(({ key, value, effect }) => ({
            key,
            // Equal is the default.
            ...(value === undefined ? { operator: 'Exists' as const } : { value }),
            ...(effect === undefined ? {} : { effect }),
          })),
        }
      : {}),
  };
}
