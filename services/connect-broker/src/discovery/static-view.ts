/**
 * A view of servers that somebody wrote down: for a laptop, and for tests.
 * It deliberately never ages: there is nothing that it could lose touch with.
 */
import { changeNotifier } from './change-notifier.ts';
import type { FleetState, InstanceServer, ServerView, WorldServer } from './view.ts';

export interface StaticView extends ServerView {
  /** Puts a world in, or exchanges it. */
  setWorld(world: WorldServer): void;
  setInstance(instance: InstanceServer): void;
  removeInstance(name: string): void;
  setFleet(fleet: FleetState): void;
  /** For tests of what an old view does. @default 0 */
  setAgeSeconds(seconds: number): void;
  setSynced(synced: boolean): void;
  /** For tests of what happens when GameServers cannot be seen. @default true */
  setInstancesKnown(known: boolean): void;
}

export function staticView(initial: readonly WorldServer[] = []): StaticView {
  const worlds = new Map(initial.map((world) => [world.serverId, world]));
  const instances = new Map<string, InstanceServer>();
  const fleets = new Map<string, FleetState>();
  let age = 0;
  let synced = true;
  let instancesKnown = true;
  const { changed, onChange } = changeNotifier();
  return {
    get synced() {
      return synced;
    },
    get instancesKnown() {
      return instancesKnown;
    },
    ageSeconds: () => age,
    world: (realm, continent) => worlds.get(`world:${realm}/${continent}`),
    worlds: () => [...worlds.values()],
    instance: (name) => instances.get(name),
    instancesOf: (id) => [...instances.values()].filter(({ instanceId }) => instanceId === id),
    instances: () => [...instances.values()],
    fleet: (contentType) => fleets.get(contentType),
    onChange,
    serverOfPod: (namespace, podName, podUid) => {
      const found = [...worlds.values(), ...instances.values()].find(
        ({ identity }) => identity?.namespace === namespace && identity.podName === podName && identity.podUid === podUid,
      );
      return found?.identity?.serverId;
    },
    setWorld: (world) => {
      worlds.set(world.serverId, world);
      changed();
    },
    setInstance: (instance) => {
      instances.set(instance.name, instance);
      changed();
    },
    removeInstance: (name) => {
      instances.delete(name);
      changed();
    },
    setFleet: (fleet) => {
      fleets.set(fleet.contentType, fleet);
      changed();
    },
    setAgeSeconds: (seconds) => {
      age = seconds;
    },
    setSynced: (value) => {
      synced = value;
      changed();
    },
    setInstancesKnown: (value) => {
      instancesKnown = value;
    },
  };
}
