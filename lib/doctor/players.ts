/**
 * How players reach the cluster: Services have their pinned addresses, and the broker sees who players are.
 * It deliberately asks each replica of the broker from within its pod, because network policies keep everybody else out.
 */

import { BROKER_OPERATIONS } from '../broker-contract';
import type { PlainObject } from '../emit/manifest';
import { BROKER_PORTS, WORKLOADS } from '../platform';
import { pinnedAddresses } from './network';
import { type Finding, failed, type LiveContext, type LiveGroup, ok, skipped, some, warning } from './types';

export const players: LiveGroup = {
  name: 'players',
  scope: 'live',
  look: async (context) => [...(await addresses(context)), await sources(context)],
};

async function addresses({ list, cluster }: LiveContext): Promise<Finding[]> {
  const pinned = pinnedAddresses(cluster);
  if (pinned.size === 0) return [];
  const given = new Map<string, PlainObject>();
  for (const service of await list('services'))
    for (const { ip } of (service.status?.loadBalancer?.ingress ?? []) as { ip?: string }[]) if (ip) given.set(ip, service);
  const missing = [...pinned].filter(([address]) => !given.has(address)).map(([address, what]) => `${address} (${what})`);
  return [
    missing.length === 0
      ? ok('addresses', `Services have all ${pinned.size} pinned addresses.`)
      : failed('addresses', `No Service has ${some(missing)}.`, 'docs/runbooks/LoadBalancerWithoutAddress.md'),
  ];
}

/** Requests that one replica has answered since its start, by where they seemed to come from. */
interface Clients {
  readonly internet: number;
  readonly private: number;
  readonly nodes: number;
}

const ASK = `fetch('http://127.0.0.1:${BROKER_PORTS.metrics}${BROKER_OPERATIONS.ready}').then(async (answer) => console.log(await answer.text()))`;

async function sources({ kubectl, list }: LiveContext): Promise<Finding> {
  const check = 'true-addresses';
  const { namespace, labels } = WORKLOADS.broker;
  const pods = (await list('pods'))
    .filter(
      ({ metadata }) =>
        metadata.namespace === namespace && Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value),
    )
    .filter(({ status }) => status?.phase === 'Running');
  if (pods.length === 0) return skipped(check, 'No replica of the broker runs, so nobody could be asked about players’ addresses.');
  const answers = await Promise.all(
    pods.map(async ({ metadata }): Promise<Clients | undefined> => {
      try {
        const text = await kubectl.text([
          'exec',
          '--namespace',
          namespace,
          metadata.name,
          '--container',
          'broker',
          '--',
          'node',
          '-e',
          ASK,
        ]);
        return (JSON.parse(text) as { clients?: Clients }).clients;
      } catch {
        // A replica that is on its way in or out, or a kubelet that nobody reaches: the others answer for it.
        return undefined;
      }
    }),
  );
  const told = answers.flatMap((answer) => (answer ? [answer] : []));
  if (told.length === 0) return skipped(check, 'No replica of the broker could be asked about players’ addresses (kubectl exec).');
  const sum = (of: keyof Clients): number => told.reduce((total, clients) => total + clients[of], 0);
  const [internet, lan, nodes] = [sum('internet'), sum('private'), sum('nodes')];
  if (nodes > 0 && nodes >= internet)
    return failed(
      check,
      `The broker sees players as the cluster's own nodes (${nodes} of ${internet + lan + nodes} requests): bans and limits of one would hit all.`,
      'The Service of Traefik needs externalTrafficPolicy: Local, and the router must forward without masking addresses (docs/how-to/router.md).',
    );
  if (internet > 0) return ok(check, `The broker sees players' own addresses (${internet} requests from the Internet).`);
  return lan > 0
    ? warning(
        check,
        `All ${lan} requests to the broker came from private addresses: either nobody came from the Internet yet, or something masks them.`,
        'Open the broker’s page with a phone without Wi-Fi, and run the doctor again.',
      )
    : skipped(check, 'Nobody has called the broker yet, so its view of players’ addresses is unknown.');
}
