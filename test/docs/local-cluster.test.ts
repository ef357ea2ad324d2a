/** The kind configuration in docs/how-to/local-cluster.md publishes exactly the ports that the example `local` uses on its node. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { buildCluster } from '../../lib/build';
import { resolveCluster } from '../../lib/model/cluster';
import { memoryStore } from '../../lib/secrets/store';
import { exampleLocal } from '../examples';

interface Mapping {
  readonly containerPort: number;
  readonly hostPort: number;
  readonly protocol?: string;
  readonly listenAddress: string;
}

const page = readFileSync('docs/how-to/local-cluster.md', 'utf8');
const config = parse(/^```yaml\n([\s\S]+?)^```$/m.exec(page)?.[1] ?? '');
const mappings: Mapping[] = config.nodes.flatMap((node: { extraPortMappings: Mapping[] }) => node.extraPortMappings);
const cluster = resolveCluster(exampleLocal);

test('it publishes the ports of Traefik, of the worlds and of instances, and no other', () => {
  const { first, last } = cluster.network.instancePorts;
  const instances = Array.from({ length: last - first + 1 }, (_, index) => `UDP ${first + index}`);
  const published = mappings.map(({ containerPort, protocol }) => `${protocol ?? 'TCP'} ${containerPort}`);
  expect(published.sort()).toEqual([...hostPorts(), ...instances].sort());
});

test('a port of the node has the same number outside of it, because tokens carry the number that players dial', () => {
  expect(mappings.filter(({ containerPort, hostPort }) => containerPort !== hostPort)).toEqual([]);
});

test('every port is open on this machine only', () => {
  expect(mappings.filter(({ listenAddress }) => listenAddress !== '127.0.0.1')).toEqual([]);
});

test('kind names the node as the description does', () => {
  expect(cluster.nodes.map((node) => node.name)).toEqual([`${config.name}-control-plane`]);
});

/** Host ports of our objects, and of the values that we give to charts. */
function hostPorts(): string[] {
  const built = buildCluster(cluster, { store: memoryStore('everything') });
  const found: string[] = [];
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { hostPort, protocol } = value as { hostPort?: number; protocol?: string };
    if (typeof hostPort === 'number') found.push(`${protocol ?? 'TCP'} ${hostPort}`);
    Object.values(value).forEach(look);
  };
  for (const { manifest } of built.objects) look(manifest);
  return found;
}
