/**
 * A store of sealed values in memory, for tests and measurements. It deliberately encrypts nothing: its values have the form of sealed ones only.
 */
import type { SecretSpec, SecretStore } from './spec';

/**
 * A store in memory, for tests and measurements: its values have the form of sealed ones, depend on their names alone, and open with no key.
 * @param sealed the Secrets that have values; `everything` answers each key that is asked for by name (and lists none)
 */
export function memoryStore(sealed: 'everything' | readonly SecretSpec[]): SecretStore {
  const keysOf =
    sealed === 'everything' ? undefined : new Map(sealed.map((spec) => [`${spec.namespace}/${spec.name}`, Object.keys(spec.keys)]));
  return {
    encryptedData: (namespace, name) => {
      const keys = keysOf?.get(`${namespace}/${name}`);
      if (keys) return Object.fromEntries(keys.map((key) => [key, fakeCiphertext(namespace, name, key)]));
      return keysOf === undefined ? answerEveryKey(namespace, name) : undefined;
    },
    warnings: () => [],
    drillDue: () => new Date(0),
  };
}

function answerEveryKey(namespace: string, name: string): Record<string, string> {
  return new Proxy<Record<string, string>>(
    {},
    {
      get: (_, key) => (typeof key === 'string' ? fakeCiphertext(namespace, name, key) : undefined),
    },
  );
}

/** The name again and again, as long as a sealed value: a measurement is of the synth, and a hash of this length would be a tenth of the build. */
function fakeCiphertext(namespace: string, name: string, key: string): string {
  const bytes = Buffer.alloc(2 + 512 + 32 + 16, JSON.stringify([namespace, name, key]));
  bytes.writeUInt16BE(512);
  return bytes.toString('base64');
}
