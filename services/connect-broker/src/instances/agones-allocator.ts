/**
 * Allocates GameServers of Agones through the Kubernetes API, so that the same request again finds the same server, and deletes those that were forgotten.
 * It deliberately makes one attempt: when the next one is due, the instance's row says (allocation.ts). It changes no Counters or Lists: an action beyond the
 * capacity is dropped without a word, and a repeated one would count twice; servers count their own players.
 */
import { LABELS } from '../../../../lib/platform.ts';
import { type ApiClient, ApiRefusal, ApiUnreachable } from '../discovery/api-client.ts';
import { INSTANCE_LABELS } from '../discovery/objects.ts';
import type { AllocationRequest, AllocationResult, Allocator } from './allocator.ts';

/** Agones collects requests for up to half a second and then tries some times; what takes longer is lost. */
const TIMEOUT_MS = 8_000;

interface GameServerAllocation {
  readonly status?: { readonly state?: string; readonly gameServerName?: string };
}

export function agonesAllocator(client: ApiClient, namespace: string): Allocator {
  return {
    allocate: async ({ instanceId, contentType, build, difficulty }: AllocationRequest): Promise<AllocationResult> => {
      const { status } = await client.request<GameServerAllocation>({
        method: 'POST',
        path: `/apis/allocation.agones.dev/v1/namespaces/${namespace}/gameserverallocations`,
        timeoutMs: TIMEOUT_MS,
        body: {
          apiVersion: 'allocation.agones.dev/v1',
          kind: 'GameServerAllocation',
          spec: {
            scheduling: 'Distributed',
            selectors: [
              // An earlier attempt whose answer was lost.
              { gameServerState: 'Allocated', matchLabels: { [LABELS.contentType]: contentType, [INSTANCE_LABELS.instance]: instanceId } },
              { gameServerState: 'Ready', matchLabels: { [LABELS.contentType]: contentType, [LABELS.build]: build } },
            ],
            // What the server learns: its SDK shows it the labels of its GameServer.
            metadata: {
              labels: { [INSTANCE_LABELS.instance]: instanceId, ...(difficulty === undefined ? {} : { [LABELS.difficulty]: difficulty }) },
            },
          },
        },
      });
      // The answer is 201 whatever happened; the state decides.
      if (status?.state === 'Allocated' && status.gameServerName) return { state: 'allocated', gameServer: status.gameServerName };
      if (status?.state === 'UnAllocated') return { state: 'unallocated' };
      if (status?.state === 'Contention') return { state: 'contention' };
      throw new ApiUnreachable(`Agones answered an allocation with the state '${status?.state ?? ''}', which is none that it knows.`);
    },
    remove: async (gameServer, uid) => {
      try {
        await client.request({
          method: 'DELETE',
          path: `/apis/agones.dev/v1/namespaces/${namespace}/gameservers/${encodeURIComponent(gameServer)}`,
          body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } },
        });
      } catch (error) {
        // Gone, or another one by now (409 of the precondition).
        if (error instanceof ApiRefusal && (error.status === 404 || error.status === 409)) return;
        throw error;
      }
    },
  };
}
