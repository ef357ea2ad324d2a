/**
 * Volumes for claims, as a storage driver makes them: a PersistentVolume for each claim of its StorageClasses whose pod has found a node.
 * It deliberately makes objects only. The controllers' own host-path provisioner would leave a folder of the machine behind for each volume.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import { ApiError, type Client } from './client';
import { LiveList } from './live-list';

/** What a StorageClass names as its provisioner. */
export const PROVISIONER = 'test.invalid/volumes';
const WANTED = 'volume.kubernetes.io/storage-provisioner';

/** Makes volumes until the list is stopped. */
export function provisionVolumes(client: Client): Promise<LiveList> {
  return LiveList.of(client, '/api/v1/persistentvolumeclaims', (claim) => {
    if (claim.metadata.annotations?.[WANTED] !== PROVISIONER || claim.spec.volumeName !== undefined) return;
    client.request('POST', '/api/v1/persistentvolumes', volumeFor(claim)).catch((error) => {
      // It was made for an earlier version of the claim; any other refusal shows as a claim that stays unbound.
      if (!(error instanceof ApiError)) throw error;
    });
  });
}

function volumeFor({ metadata, spec }: PlainObject): object {
  const { uid } = metadata as unknown as { uid: string };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `pvc-${uid}`, annotations: { 'pv.kubernetes.io/provisioned-by': PROVISIONER } },
    spec: {
      capacity: spec.resources.requests,
      accessModes: spec.accessModes,
      storageClassName: spec.storageClassName,
      volumeMode: spec.volumeMode,
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: metadata.namespace, name: metadata.name, uid },
      // No kubelet looks for it.
      hostPath: { path: '/nonexistent' },
    },
  };
}
