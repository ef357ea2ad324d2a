/**
 * Clocks: of this machine, of the API server, of the nodes. Connect tokens live for half a minute, so seconds matter.
 * It deliberately reads what the nodes write anyway (their leases); the alert ClockSkew watches them all the time.
 */
import type { PlainObject } from '../emit/manifest';
import { type Finding, failed, type LiveContext, type LiveGroup, ok, some, warning } from './types';

/** A token of 30 s survives that, and an answer of the API server takes less. */
const MOST_SECONDS = 5;
/** Kubelets renew their lease every ten seconds. */
const LEASE_SECONDS = 40;

export const clock: LiveGroup = {
  name: 'clock',
  scope: 'live',
  look: async (context) => {
    const before = Date.now();
    const server = await serverTime(context);
    // The clock was read before the question and after the answer; the server's lies between, and counts whole seconds.
    const machine = (before + Date.now()) / 2;
    return [ownClock(machine, server), nodeClocks(await context.list('leases.coordination.k8s.io'), server)];
  },
};

/** What the API server would stamp on an object that it does not make. */
async function serverTime({ kubectl }: LiveContext): Promise<number> {
  const { metadata } = await kubectl.json<{ metadata: { creationTimestamp: string } }>([
    'create',
    'namespace',
    'doctor-clock',
    '--dry-run=server',
  ]);
  return Date.parse(metadata.creationTimestamp);
}

function ownClock(machine: number, server: number): Finding {
  const seconds = Math.round((machine - server - 500) / 1000);
  return Math.abs(seconds) <= MOST_SECONDS
    ? ok('own-clock', "This machine's clock and the API server's agree.")
    : warning(
        'own-clock',
        `This machine's clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the API server's.`,
        'Turn on time synchronization (timedatectl set-ntp true) where the clock is wrong.',
      );
}

function nodeClocks(leases: readonly PlainObject[], server: number): Finding {
  const nodes = leases.filter(({ metadata }) => metadata.namespace === 'kube-node-lease');
  const wrong = nodes.flatMap(({ metadata, spec }) => {
    const age = (server - Date.parse(spec?.renewTime ?? '')) / 1000;
    if (age < -MOST_SECONDS) return [`${metadata.name} is ${Math.round(-age)} s ahead`];
    return age > LEASE_SECONDS ? [`${metadata.name} is behind, or has been silent for ${Math.round(age)} s`] : [];
  });
  return wrong.length === 0
    ? ok('node-clocks', `The clocks of ${nodes.length} nodes agree with the API server's.`)
    : failed(
        'node-clocks',
        `Clocks differ: ${some(wrong)}; tokens would be refused.`,
        'Turn on time synchronization on that node (timedatectl set-ntp true), or repair the node.',
      );
}
