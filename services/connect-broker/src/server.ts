/**
 * A running broker: its listeners, background work, and an orderly end.
 * It deliberately reads no configuration and opens no database; it is given a `Broker` and closes what it opened itself.
 */
import type { AddressInfo } from 'node:net';
import { startAccountTasks } from './accounts/tasks.ts';
import type { Stop } from './background.ts';
import type { Broker } from './broker.ts';
import type { Application } from './http/application.ts';
import { autoscalerApplication } from './http/autoscaler.ts';
import { internalApplication } from './http/internal.ts';
import { operationsApplication } from './http/operations.ts';
import { publicApplication } from './http/public.ts';
import { startInstanceTasks } from './instances/tasks.ts';
import { startPlayTasks } from './play/tasks.ts';
import { startRealmTasks } from './realms/tasks.ts';
import { startSleepTasks } from './sleep/tasks.ts';

export interface Ports {
  readonly http: number;
  readonly internal: number;
  /** Where Agones asks for the size of Fleets. @default nothing listens there: without Agones nobody asks */
  readonly autoscaler?: number;
  readonly metrics: number;
}

export interface ServerOptions {
  /** Address to listen on: every one in a pod, loopback on a laptop. */
  readonly host: string;
  /** Ports; 0 takes a free one. */
  readonly ports: Ports;
  /** How long requests in flight have at the end, in milliseconds. @default 16 s: as long as a request may take to arrive, and within the pod's grace beside the drain */
  readonly longestRequestMs?: number;
}

export interface Server {
  /** Ports that are listened on. */
  readonly ports: Ports;
  readonly applications: {
    readonly http: Application;
    readonly internal: Application;
    readonly autoscaler?: Application;
    readonly metrics: Application;
  };
  /**
   * Ends in order: whoever calls has aborted `broker.stopping` before and waited for the drain; then no new connection is taken, requests in flight are answered,
   * background work ends. Probes and metrics go last.
   */
  close(): Promise<void>;
}

/** @throws when a port is taken; what was opened before is closed again */
export async function startServer(broker: Broker, { host, ports, longestRequestMs = 16_000 }: ServerOptions): Promise<Server> {
  const tasks: Stop[] = [];
  const serving: Application[] = [];
  const last: Application[] = [];
  const end = async () => {
    // All at once: the pod's grace has room for one longest request, and not for one of each listener.
    await Promise.all(
      serving.map(async (application) => {
        // Node stops looking at time limits when a server closes: a connection that says nothing would hold the end up for ever.
        const overdue = setTimeout(() => application.server.closeAllConnections(), longestRequestMs);
        await application.close().finally(() => clearTimeout(overdue));
      }),
    );
    for (const stop of tasks) await stop();
    for (const application of last) await application.close();
  };
  try {
    const http = await publicApplication(broker);
    const internal = await internalApplication(broker);
    const autoscaler = ports.autoscaler === undefined ? undefined : await autoscalerApplication(broker);
    const metrics = await operationsApplication(broker);
    const listen = async (application: Application, port: number, opened = serving) => {
      opened.push(application);
      await application.listen({ host, port });
      return (application.server.address() as AddressInfo).port;
    };
    tasks.push(
      startAccountTasks(broker),
      startPlayTasks(broker),
      startInstanceTasks(broker),
      startRealmTasks(broker),
      startSleepTasks(broker),
    );
    return {
      ports: {
        http: await listen(http, ports.http),
        internal: await listen(internal, ports.internal),
        ...(autoscaler === undefined || ports.autoscaler === undefined ? {} : { autoscaler: await listen(autoscaler, ports.autoscaler) }),
        metrics: await listen(metrics, ports.metrics, last),
      },
      applications: { http, internal, ...(autoscaler === undefined ? {} : { autoscaler }), metrics },
      close: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
