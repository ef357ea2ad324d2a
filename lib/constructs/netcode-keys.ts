/**
 * Names of netcode's private keys: one key per realm or content type and generation, held by the broker and by that game server alone.
 * It deliberately makes no Secret: realms and instances declare theirs, the broker declares its copies, and both use these names so that the values agree.
 */
import type { SecretKey } from '../secrets/spec';

/** What a key opens: a realm by name, or a content type (all instances of one Fleet) by name. */
export type NetcodeKeyOwner = { readonly realm: string } | { readonly instance: string };

/** Name of the Secret with the keys of a realm, in the realm's own namespace. */
export const REALM_KEY_SECRET = 'netcode-key';

/** Name of the Secret with the keys of one content type, in the namespace of all instances. */
export function instanceKeySecret(type: string): string {
  return `netcode-key-${type}`;
}

/**
 * Generations that Secrets hold: the current one and the one before it, so that a pod of the old generation that is restarted during a rotation still finds its key.
 * The broker holds the same ones, since it signs with the generation that a pod's label says.
 */
export function keyGenerations(current: number): number[] {
  return current > 1 ? [current - 1, current] : [current];
}

/** Key of one generation in the game server's Secret: `generation-3`. */
export function generationKey(generation: number): string {
  return `generation-${generation}`;
}

/** Identity of a realm's key: the same 32 bytes wherever they are sealed. The generation is part of it, because a rotation makes a new value. */
export function realmKeyIdentity(
  realm: { readonly name: string; readonly netcodeKeyGeneration: number },
  generation = realm.netcodeKeyGeneration,
): string {
  return `netcode/realm/${realm.name}/${generation}`;
}

/** Identity of a content type's key, in the same way. */
export function instanceKeyIdentity(
  type: { readonly name: string; readonly netcodeKeyGeneration: number },
  generation = type.netcodeKeyGeneration,
): string {
  return `netcode/instance/${type.name}/${generation}`;
}

/** Key in the broker's Secret: `realm.aurora.1`, `instance.dungeon.1`. */
export function brokerKeyName(owner: NetcodeKeyOwner, generation: number): string {
  return 'realm' in owner ? `realm.${owner.realm}.${generation}` : `instance.${owner.instance}.${generation}`;
}

/** The value behind an identity: 32 random bytes, as netcode's private key is. */
export function netcodeKey(identity: string): SecretKey {
  return {
    value: identity,
    source: { generate: 'random-32-bytes' },
    whenReplaced:
      'Game servers that run have the old key until they restart, and nobody can join them until then; a next generation (--netcode NAME --next-generation) needs no such pause.',
  };
}
