/**
 * Starts and stops a world: the number of pods that its StatefulSet wants, 1 or 0.
 * It deliberately uses the scale subresource alone, which is all that the broker's Role grants, and only in realms that may sleep: it could not change
 * anything else of a world if it were taken over.
 */
import type { ApiClient } from '../discovery/api-client.ts';

export interface WorldScaler {
  /** Resolves when the API has taken the number; the pod follows. The same again changes nothing. @throws ApiRefusal, ApiUnreachable */
  scale(namespace: string, continent: string, replicas: 0 | 1): Promise<void>;
}

/** Shorter than other requests: while a world is put to sleep, nobody can connect to it. */
const TIMEOUT_MS = 3_000;

export function kubernetesScaler(client: Pick<ApiClient, 'request'>): WorldScaler {
  return {
    scale: async (namespace, continent, replicas) => {
      await client.request({
        method: 'PATCH',
        // A manager of its own in managedFields: Argo CD's applies leave a field alone that Git does not name.
        path: `/apis/apps/v1/namespaces/${namespace}/statefulsets/${encodeURIComponent(continent)}/scale?fieldManager=connect-broker`,
        body: { spec: { replicas } },
        timeoutMs: TIMEOUT_MS,
      });
    },
  };
}
