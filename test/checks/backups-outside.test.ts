/**
 * Cases of the check `backups-outside`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { buildCluster } from '../../lib/build';
import { backupsOutside } from '../../lib/checks/backups-outside';
import { CheckInput } from '../../lib/checks/types';
import { resolveCluster } from '../../lib/model/cluster';
import { memoryStore } from '../../lib/secrets/store';
import { exampleLocal } from '../examples';
import { changed, sentencesOf } from './fixture';

const schedule = (endpoint: string) =>
  changed('Schedule realm-aurora/worlds', ({ spec }) => {
    spec.backend.s3.endpoint = endpoint;
  });

describe('backups-outside', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentencesOf(backupsOutside)).toEqual([]);
  });

  it.each([
    ['https://minio.storage.svc:9000', 'a Service of the cluster'],
    ['https://minio.storage.svc.cluster.local', 'a Service of the cluster'],
    ['minio:9000', 'a Service of the cluster'],
    ['https://192.168.1.245', 'an address of its load balancer'],
    ['https://192.168.1.11:9000', 'one of its nodes'],
    ['https://s3.mmo.example.org', "below the cluster's own domain"],
  ])("refuses to back worlds up to '%s'", (endpoint, what) => {
    expect(sentencesOf(backupsOutside, schedule(endpoint))).toEqual([
      `Schedule realm-aurora/worlds spec.backend.s3.endpoint: Backups go to '${endpoint}', which is ${what}.`,
    ]);
  });

  it("refuses it for the database's archive too", () => {
    const objects = changed('ObjectStore database/backups', ({ spec }) => {
      spec.configuration.endpointURL = 'https://minio.storage.svc';
    });
    expect(sentencesOf(backupsOutside, objects)).toHaveLength(1);
  });

  it('lets a laptop try backups out with a store in the cluster', () => {
    const built = buildCluster(
      resolveCluster({ ...exampleLocal, backups: { endpoint: 'https://minio.storage.svc:9000', bucket: 'backups' } }),
      {
        store: memoryStore('everything'),
      },
    );
    expect(backupsOutside.run(new CheckInput(built))).toEqual([]);
  });
});
