/**
 * The Kubernetes cluster itself: whether it answers, its version, its nodes.
 * It deliberately comes before every other group that asks it; when it does not answer, nobody else asks.
 */
import type { PlainObject } from '../emit/manifest';
import { type Finding, failed, type LiveContext, type LiveGroup, ok, some, warning } from './types';
import { isAtLeast, KUBERNETES } from './versions';

export const clusterGroup: LiveGroup = {
  name: 'cluster',
  scope: 'live',
  look: async (context) => [await version(context), ...(await nodes(context))],
};

async function version({ kubectl }: LiveContext): Promise<Finding> {
  const { serverVersion } = await kubectl.json<{ serverVersion: { gitVersion: string } }>(['version']);
  const { gitVersion } = serverVersion;
  const { oldest, newest } = KUBERNETES;
  if (!isAtLeast(gitVersion, oldest))
    return failed(
      'kubernetes',
      `Kubernetes ${gitVersion} is older than ${oldest}, and refuses CRDs of operators.`,
      `Upgrade it to a version from ${oldest} to ${newest}.`,
    );
  return isAtLeast(newest, minor(gitVersion))
    ? ok('kubernetes', `Kubernetes ${gitVersion} is one that this project is tested with (${oldest} to ${newest}).`)
    : warning(
        'kubernetes',
        `Kubernetes ${gitVersion} is newer than ${newest}, the newest that this project was tested with.`,
        'Look for a newer version of this project before you rely on it.',
      );
}

const minor = (gitVersion: string): string => /\d+\.\d+/.exec(gitVersion)?.[0] ?? '0';

async function nodes({ list, cluster }: LiveContext): Promise<Finding[]> {
  const live = new Map((await list('nodes')).map((node) => [node.metadata.name, node]));
  const missing = cluster.nodes.filter(({ name }) => !live.has(name)).map(({ name }) => name);
  const undescribed = [...live.keys()].filter((name) => !cluster.nodes.some((node) => node.name === name));
  const moved = cluster.nodes.flatMap(({ name, address }) => {
    const own = addressesOf(live.get(name));
    return own.length === 0 || own.includes(address) ? [] : [`${name} has ${some(own)}, described as ${address}`];
  });
  const notReady = [...live.values()].filter((node) => !isReady(node)).map((node) => node.metadata.name);
  const unschedulable = [...live.values()].filter((node) => node.spec?.unschedulable === true).map((node) => node.metadata.name);
  const findings: Finding[] = [];
  if (missing.length > 0)
    findings.push(
      failed(
        'nodes',
        `The cluster has no node ${some(missing)}; it has ${some([...live.keys()])}.`,
        `Join it, or correct nodes in apps/${cluster.name}.ts.`,
      ),
    );
  if (undescribed.length > 0)
    findings.push(
      warning(
        'nodes',
        `Node ${some(undescribed)} is not described: network policies do not know its address.`,
        `Add it to nodes in apps/${cluster.name}.ts, or remove it from the cluster.`,
      ),
    );
  if (moved.length > 0)
    findings.push(
      failed(
        'node-addresses',
        `Addresses differ: ${some(moved)}.`,
        `Correct nodes in apps/${cluster.name}.ts; players and policies are led to the described ones.`,
      ),
    );
  if (notReady.length > 0)
    findings.push(
      failed(
        'nodes-ready',
        `Node ${some(notReady)} is not ready.`,
        `kubectl describe node ${notReady[0]}; is it gone for good: docs/how-to/a-node-died.md`,
      ),
    );
  if (unschedulable.length > 0)
    findings.push(
      warning(
        'nodes-schedulable',
        `Node ${some(unschedulable)} takes no new pods.`,
        `After its maintenance: kubectl uncordon ${unschedulable[0]}`,
      ),
    );
  if (findings.length === 0) findings.push(ok('nodes', `All ${live.size} nodes are the described ones, ready and take pods.`));
  return findings;
}

function addressesOf(node: PlainObject | undefined): string[] {
  const addresses = (node?.status?.addresses ?? []) as { type: string; address: string }[];
  return addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
}

function isReady(node: PlainObject): boolean {
  const conditions = (node.status?.conditions ?? []) as { type: string; status: string }[];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}
