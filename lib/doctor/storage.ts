/**
 * Storage: the class that worlds and databases will use, whether it can grow and take snapshots, and whether a deleted claim keeps its volume.
 * It deliberately creates no volume to try it out.
 */
import { type Finding, failed, type LiveContext, type LiveGroup, ok, skipped, some, warning } from './types';

const DEFAULT = 'storageclass.kubernetes.io/is-default-class';

export const storage: LiveGroup = {
  name: 'storage',
  scope: 'live',
  look: async ({ list, cluster }) => {
    const classes = await list('storageclasses.storage.k8s.io');
    const names = classes.map(({ metadata }) => metadata.name);
    const { class: wanted, expandable } = cluster.storage;
    const found =
      wanted === undefined
        ? classes.find(({ metadata }) => metadata.annotations?.[DEFAULT] === 'true')
        : classes.find(({ metadata }) => metadata.name === wanted);
    if (!found) {
      const have = names.length === 0 ? 'it has none' : `it has ${some(names)}`;
      return [
        wanted === undefined
          ? failed(
              'storage-class',
              `The cluster has no default StorageClass (${have}), so claims would wait for ever.`,
              'Name one in storage.class, or mark one as default.',
            )
          : failed(
              'storage-class',
              `The cluster has no StorageClass '${wanted}'; ${have}.`,
              `Install it, or correct storage.class in apps/${cluster.name}.ts.`,
            ),
      ];
    }
    const { name } = found.metadata;
    return [
      ok('storage-class', `StorageClass '${name}' is there (${found.provisioner}).`),
      expansion(name, found.allowVolumeExpansion === true, expandable),
      await snapshots(list, name, found.provisioner as string),
    ];
  },
};

function expansion(name: string, can: boolean, described: boolean): Finding {
  if (described && !can)
    return failed(
      'expansion',
      `StorageClass '${name}' cannot grow volumes, but storage.expandable says so.`,
      'Set allowVolumeExpansion: true where the driver can, or storage.expandable: false.',
    );
  if (!described && can)
    return warning(
      'expansion',
      `StorageClass '${name}' can grow volumes; the description does not say so.`,
      'Write storage.expandable: true, and worlds can grow.',
    );
  return ok('expansion', can ? `Volumes of '${name}' can grow.` : `Volumes of '${name}' cannot grow, as described.`);
}

async function snapshots(list: LiveContext['list'], name: string, provisioner: string): Promise<Finding> {
  const classes = await list('volumesnapshotclasses.snapshot.storage.k8s.io').catch((error: { failure?: string }) => {
    if (error.failure !== 'not-served') throw error;
    return undefined;
  });
  if (classes === undefined) return skipped('snapshots', 'The cluster has no volume snapshots; backups do not need them.');
  const own = classes.filter(({ driver }) => driver === provisioner).map(({ metadata }) => metadata.name);
  return own.length > 0
    ? ok('snapshots', `Volumes of '${name}' can be snapshotted (${some(own)}): a quick way back before something risky.`)
    : skipped('snapshots', `No VolumeSnapshotClass is for volumes of '${name}'; backups do not need one.`);
}
