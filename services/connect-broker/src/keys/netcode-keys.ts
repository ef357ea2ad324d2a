/**
 * netcode's private keys, one for each realm or content type and generation: the broker has them all, a game server only its own.
 * It deliberately makes no tokens.
 */
import { type KeyDirectory, keyDirectory, requireKey } from '../key-directory.ts';

export interface NetcodeKeys {
  /** The key with which a server of this realm was started; undefined when the broker does not have it (yet). */
  forRealm(realm: string, generation: number): Uint8Array | undefined;
  forContentType(contentType: string, generation: number): Uint8Array | undefined;
  close(): void;
}

/** `realm.<name>.<generation>` and `instance.<type>.<generation>` (lib/broker-contract.ts). */
const FILE = /^(realm|instance)\.[a-z0-9-]+\.[1-9][0-9]*$/;

export function openNetcodeKeys(directory: string, onError: (error: unknown) => void): NetcodeKeys {
  const keys: KeyDirectory<ReadonlyMap<string, Uint8Array>> = keyDirectory(
    directory,
    (files) =>
      new Map(
        [...files].map(([name, bytes]) => {
          if (!FILE.test(name))
            throw new Error(`The key file '${name}' is not named realm.<name>.<generation> or instance.<type>.<generation>.`);
          return [name, requireKey(name, bytes)];
        }),
      ),
    onError,
  );
  const find = (name: string) => {
    const found = keys.current().get(name);
    if (found) return found;
    // A pod may start with a new generation before the next poll.
    keys.refresh();
    return keys.current().get(name);
  };
  return {
    forRealm: (realm, generation) => find(`realm.${realm}.${generation}`),
    forContentType: (contentType, generation) => find(`instance.${contentType}.${generation}`),
    close: keys.close,
  };
}
