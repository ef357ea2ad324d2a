import type { Stop } from '../background.ts';
import type { Broker } from '../broker.ts';

export const startInstanceTasks =
  (_broker: Broker): Stop =>
  async () => {};
