/**
 * Sync waves of Applications, computed from what each needs: an Application's wave is one more than the latest of its needs.
 * It deliberately takes no numbers from anybody, so that no wave can be forgotten when a need is added.
 */

/** What the computation must know of an Application. */
export interface WaveNode {
  readonly name: string;
  readonly needs: readonly string[];
  /** In the wave after all that are not last. */
  readonly last?: boolean;
}

/** Wave of each Application by name, from 0. Throws when needs form a circle or name an Application that does not exist; the sentence names them all. */
export function computeWaves(nodes: readonly WaveNode[]): Map<string, number> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const problems: string[] = [];
  for (const node of nodes) {
    for (const need of node.needs) {
      if (!byName.has(need)) problems.push(`Application '${node.name}' needs '${need}', which this cluster does not have.`);
      else if (byName.get(need)?.last && !node.last)
        problems.push(`Application '${node.name}' needs '${need}', which is in the last wave; nothing may wait for a world.`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const waves = new Map<string, number>();
  const open: string[] = [];
  const visit = (node: WaveNode): number => {
    const known = waves.get(node.name);
    if (known !== undefined) return known;
    if (open.includes(node.name))
      throw new Error(`Applications need each other in a circle: ${[...open.slice(open.indexOf(node.name)), node.name].join(' → ')}.`);
    open.push(node.name);
    let wave = 0;
    for (const need of node.needs) {
      const before = byName.get(need);
      if (before) wave = Math.max(wave, visit(before) + 1);
    }
    open.pop();
    waves.set(node.name, wave);
    return wave;
  };
  for (const node of nodes) if (!node.last) visit(node);
  const last = Math.max(-1, ...waves.values()) + 1;
  for (const node of nodes) if (node.last) waves.set(node.name, last);
  return waves;
}
