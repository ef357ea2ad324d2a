/**
 * The listener for the kubelet and for Prometheus: probes and metrics, on a port that neither players nor game servers reach.
 * It deliberately is not ready only before the first synchronisation and during shutdown: what else is missing is told in the body and in metrics,
 * because all replicas would miss it at once.
 */
import { BROKER_OPERATIONS } from '../../../../lib/broker-contract.ts';
import type { Broker } from '../broker.ts';
import { MAX_VIEW_AGE_SECONDS } from '../discovery/view.ts';
import { type Application, makeApplication } from './application.ts';
import type { ClientNetwork } from './client-address.ts';

export async function operationsApplication(broker: Broker): Promise<Application> {
  const { database, view, metrics, passwords, stopping } = broker;
  const application = makeApplication({
    log: broker.log.child({}, { level: 'warn' }),
    metrics,
    trustedProxyHops: 0,
    bodyLimit: 1024,
    stopping,
  });
  application.get(BROKER_OPERATIONS.startup, async () => ({ status: 'started' }));
  application.get(BROKER_OPERATIONS.live, async () => ({ status: 'live' }));
  application.get(BROKER_OPERATIONS.ready, async (_request, reply) => {
    const ready = view.synced && !stopping.aborted;
    const age = view.ageSeconds();
    const { values } = await metrics.clientRequests.get();
    const clients = (network: ClientNetwork): number => values.find(({ labels }) => labels.network === network)?.value ?? 0;
    reply.status(ready ? 200 : 503);
    return {
      status: stopping.aborted ? 'stopping' : view.synced ? 'ready' : 'waiting for the first synchronisation',
      database: database.up ? 'up' : 'down',
      view: { ageSeconds: Math.round(age), tooOld: age > MAX_VIEW_AGE_SECONDS },
      // For `npm run doctor`: on nodes are no players, so requests from there mean that their addresses were replaced on the way.
      clients: { internet: clients('internet'), private: clients('private'), nodes: clients('node') },
    };
  });
  application.get(BROKER_OPERATIONS.metrics, async (_request, reply) => {
    metrics.databaseUp.set(database.up ? 1 : 0);
    const { idle, busy, waiting } = database.poolState();
    metrics.databaseConnections.set({ state: 'idle' }, idle);
    metrics.databaseConnections.set({ state: 'busy' }, busy);
    metrics.databaseConnections.set({ state: 'waiting' }, waiting);
    metrics.viewAge.set(view.ageSeconds());
    metrics.passwordQueue.set(passwords.waiting());
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
  return application;
}
