/**
 * What a described cluster needs of secrets, and who uses them: answered by building it in memory, so that no second list can grow old.
 * It deliberately reads no sealed value; the store is passed on to the build.
 */
import { type BuiltCluster, buildCluster } from '../build';
import { referencesOf } from '../checks/references';
import { CheckInput } from '../checks/types';
import { type ClusterDescription, resolveCluster } from '../model/cluster';
import { SecretsError } from './sealing';
import type { SecretSpec, SecretStore } from './spec';

/**
 * Every Secret that the cluster needs.
 * @throws DescriptionError when the description has mistakes
 */
export function neededSecrets(description: ClusterDescription, store: SecretStore): readonly SecretSpec[] {
  return buildCluster(resolveCluster(description), { store }).secrets;
}

/** Who refers to a Secret, by `<namespace>/<name>`, in alphabetical order: objects as `StatefulSet eldermoor`, upstream's charts as `chart grafana`. */
export function secretUsers(description: ClusterDescription, store: SecretStore): ReadonlyMap<string, readonly string[]> {
  return usersOf(buildCluster(resolveCluster(description), { store }));
}

function usersOf(built: BuiltCluster): Map<string, string[]> {
  const users = new Map<string, Set<string>>();
  const note = (id: string, user: string): void => {
    const known = users.get(id) ?? new Set();
    users.set(id, known.add(user));
  };
  for (const { kind, namespace, name, object } of referencesOf(new CheckInput(built))) {
    if (kind === 'Secret') note(`${namespace}/${name}`, `${object.manifest.kind} ${object.manifest.metadata.name}`);
  }
  for (const chart of built.charts) for (const id of Object.keys(chart.secrets?.(built.cluster) ?? {})) note(id, `chart ${chart.name}`);
  return new Map([...users].map(([id, names]) => [id, [...names].sort()]));
}

/**
 * The description with the next generation of one netcode key.
 * @param name of a realm or content type; `realm/NAME` or `instance/NAME` when both exist
 * @throws SecretsError when the description has none of that name, or both
 */
export function withNextGeneration(description: ClusterDescription, name: string): ClusterDescription {
  const { realms = [], instances = [] } = description;
  const isRealm = realms.some((realm) => name === realm.name || name === `realm/${realm.name}`);
  const isInstance = instances.some((type) => name === type.name || name === `instance/${type.name}`);
  if (isRealm === isInstance) {
    const names = [...realms, ...instances].map((each) => each.name);
    throw new SecretsError([
      isRealm
        ? `'${name}' is both a realm and a content type: say 'realm/${name}' or 'instance/${name}'.`
        : `There is no realm or content type '${name}' here; those with netcode keys are ${names.join(', ')}.`,
    ]);
  }
  const raise = <Owner extends { name: string; netcodeKeyGeneration?: number | undefined }>(
    kind: string,
    owners: readonly Owner[],
  ): Owner[] =>
    owners.map((owner) =>
      name === owner.name || name === `${kind}/${owner.name}`
        ? { ...owner, netcodeKeyGeneration: (owner.netcodeKeyGeneration ?? 1) + 1 }
        : owner,
    );
  return { ...description, ...(isRealm ? { realms: raise('realm', realms) } : { instances: raise('instance', instances) }) };
}
