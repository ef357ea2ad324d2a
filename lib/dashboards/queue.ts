/**
 * The two numbers about queues of players, which stand on the dashboards Players and Connect broker alike.
 * It deliberately adds nothing up over replicas: each reads the same queues from the database.
 */
import { NAMESPACES } from '../platform';
import type { Panel } from './dashboard';

const HERE = `namespace="${NAMESPACES.broker}"`;

export const QUEUE_PANELS: readonly Panel[] = [
  {
    kind: 'stat',
    title: 'Waiting',
    description: 'Players in all queues.',
    unit: 'short',
    targets: [{ expr: `sum(max by (realm, continent) (mmo_broker_queue_length{${HERE}}))` }],
  },
  {
    kind: 'stat',
    title: 'Longest wait',
    description: 'How long the first in a queue has waited, where that is longest.',
    unit: 's',
    thresholds: { above: [300, 900] },
    targets: [{ expr: `max(mmo_broker_queue_oldest_seconds{${HERE}})` }],
  },
];
