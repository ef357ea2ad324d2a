/**
 * What the broker knows of running game servers: the read side of discovery, held in memory.
 * It deliberately has no players, queues or sessions (those are rows of the database) and says nothing about how it is kept up to date:
 * from the Kubernetes API in the cluster, from a list on a laptop.
 */

/** An IP literal and a UDP port, as a connect token carries them. */
export interface Address {
  readonly address: string;
  readonly port: number;
}

/** What a connect token for a server is made of. */
export interface ServerIdentity {
  /** `world:<realm>/<continent>` or `instance:<name of the GameServer>`. */
  readonly serverId: string;
  readonly podName: string;
  /** Changes with every start: reports and claims of an earlier pod are refused. */
  readonly podUid: string;
  readonly namespace: string;
  /** The pod's own address and container port: the only entry of the token's private list. */
  readonly privateAddress: Address;
  /** Where players dial: in the LAN and from the Internet. Host names are resolved; an address that could not be resolved yet is left out. */
  readonly lan: readonly Address[];
  readonly wan: readonly Address[];
  /** Label `mmo/netcode-key-generation` of the pod. */
  readonly keyGeneration: number;
  /** Label `mmo/protocol-id`. */
  readonly protocolId: bigint;
  /** Label `mmo/build`. */
  readonly build: string;
}

/** One continent of a realm, running or not. */
export interface WorldServer {
  readonly realm: string;
  readonly continent: string;
  readonly serverId: string;
  /**
   * `ready`: players are served. `starting`: a pod is wanted and not ready yet. `asleep`: no pod is wanted (replicas 0). `missing`: nothing is there.
   * `stopping`: its pod is being deleted but still serves; nobody new is sent there.
   */
  readonly phase: 'ready' | 'starting' | 'stopping' | 'asleep' | 'missing';
  /** Present in the phases `ready` and `stopping`. */
  readonly identity?: ServerIdentity;
}

/** One GameServer of Agones. */
export interface InstanceServer {
  /** Name of the GameServer, and of its pod. */
  readonly name: string;
  /** UID of the GameServer, the precondition of its deletion. */
  readonly uid: string;
  readonly contentType: string;
  /** Agones' state: Ready, Allocated, Shutdown, … */
  readonly state: string;
  /** Instance id that it was allocated for: its label, undefined before. */
  readonly instanceId: string | undefined;
  /** Instance id of the label `agones.dev/sdk-session-ready`: players of that instance may enter now. */
  readonly readyFor: string | undefined;
  /** When it was created: milliseconds since 1970. */
  readonly createdAt: number;
  /** Present once the pod has an address and the GameServer its ports. */
  readonly identity?: ServerIdentity;
}

/** Replicas of a Fleet, as its status tells. */
export interface FleetState {
  readonly contentType: string;
  readonly replicas: number;
  readonly ready: number;
  readonly allocated: number;
}

export interface ServerView {
  /** Whether the first synchronisation is over; stays true afterwards. */
  readonly synced: boolean;
  /** Seconds since the source was last heard; 0 for a list that cannot age. Above `MAX_VIEW_AGE_SECONDS` nobody is sent anywhere. */
  ageSeconds(): number;
  world(realm: string, continent: string): WorldServer | undefined;
  worlds(): readonly WorldServer[];
  instance(name: string): InstanceServer | undefined;
  /** GameServers that carry this instance id; more than one only by a lost response. */
  instancesOf(instanceId: string): readonly InstanceServer[];
  instances(): readonly InstanceServer[];
  /**
   * False while the source does not show GameServers at all (rights or definitions are missing): then one that is not in the view may be there nevertheless,
   * and nobody concludes that it is gone.
   */
  readonly instancesKnown: boolean;
  fleet(contentType: string): FleetState | undefined;
  /** Calls back after each change, at most once per turn of the event loop; returns how to stop. */
  onChange(listener: () => void): () => void;
  /** Where a pod is that calls, for the check that a server acts only for itself. */
  serverOfPod(namespace: string, podName: string, podUid: string): string | undefined;
}

/** A view older than this is not acted on: pods may have moved. Serving lists goes on. */
export const MAX_VIEW_AGE_SECONDS = 300;

export const worldServerId = (realm: string, continent: string): string => `world:${realm}/${continent}`;
export const instanceServerId = (gameServer: string): string => `instance:${gameServer}`;
