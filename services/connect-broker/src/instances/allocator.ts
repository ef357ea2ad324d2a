/**
 * What the broker asks of Agones: a server for an instance, and the end of one that was forgotten.
 * It deliberately is an interface; src/instances/agones-allocator.ts speaks to the Kubernetes API.
 */

export interface AllocationRequest {
  /** UUID of the instance: label of the server, and what makes a repeated request find the same one. */
  readonly instanceId: string;
  readonly contentType: string;
  /** Only servers of this build. */
  readonly build: string;
  /** Told to the server with the allocation. @default none */
  readonly difficulty?: string | undefined;
}

export type AllocationResult =
  | { readonly state: 'allocated'; readonly gameServer: string }
  /** No server is free; more may start. */
  | { readonly state: 'unallocated' }
  /** Somebody else was faster; again after a pause. */
  | { readonly state: 'contention' };

export interface Allocator {
  /** One attempt. @throws when the API cannot be reached, refuses, or its answer was lost: the same request again is safe */
  allocate(request: AllocationRequest): Promise<AllocationResult>;
  /** Deletes a GameServer if it still is the one with this UID. Resolves also when it is gone. */
  remove(gameServer: string, uid: string): Promise<void>;
}
