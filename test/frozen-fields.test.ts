/** Changes that the API server would refuse, and the way that works. */
import { stringify } from 'yaml';
import { judgeFrozenFields } from '../lib/frozen-fields';

const path = 'homelab/realm-aurora/realm-aurora/StatefulSet.eldermoor.yaml';
const world = (storage: string, more: object = {}, storageClassName = 'longhorn') =>
  stringify({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'eldermoor', namespace: 'realm-aurora' },
    spec: {
      serviceName: 'eldermoor',
      template: { spec: { containers: [] } },
      volumeClaimTemplates: [{ metadata: { name: 'world' }, spec: { storageClassName, resources: { requests: { storage } } } }],
      ...more,
    },
  });
const judge = (before: string, after: string, options: { expandable?: boolean; orphaned?: string[] } = {}) =>
  judgeFrozenFields(new Map([[path, before]]), new Map([[path, after]]), [path], {
    expandable: new Map([['homelab', options.expandable ?? true]]),
    orphaned: options.orphaned ?? [],
  });

test('a changed template of pods is written', () => {
  expect(judge(world('20Gi'), world('20Gi', { template: { spec: { containers: [{ name: 'game' }] } }, replicas: 0 }))).toEqual([]);
});

test('a larger volume is refused with the steps that work, in their order', () => {
  expect(judge(world('20Gi'), world('40Gi'))).toEqual([
    [
      `dist/${path}: spec.volumeClaimTemplates of a StatefulSet cannot be changed (world: 20Gi → 40Gi); the sync of its whole Application would stop. In this order (deleted before the merge, it would come back as it was):`,
      `  kubectl -n realm-aurora patch pvc world-eldermoor-0 -p '{"spec":{"resources":{"requests":{"storage":"40Gi"}}}}'`,
      '  npm run synth -- --orphaned StatefulSet/realm-aurora/eldermoor        # then commit, merge and wait until Argo CD says that it cannot change it',
      '  kubectl -n realm-aurora delete statefulset eldermoor --cascade=orphan        # the pod keeps running, the claims stay; Argo CD makes it anew (with maintenance windows: in a window, or synced by hand) and it adopts them',
    ].join('\n'),
  ]);
});

test('a larger volume is written once the StatefulSet is orphaned', () => {
  expect(judge(world('20Gi'), world('40Gi'), { orphaned: ['StatefulSet/realm-aurora/eldermoor'] })).toEqual([]);
});

test('a smaller volume is refused, orphaned or not', () => {
  expect(judge(world('20Gi'), world('5Gi'), { orphaned: ['StatefulSet/realm-aurora/eldermoor'] })).toEqual([
    expect.stringContaining('a claim cannot shrink (world: 20Gi → 5Gi)'),
  ]);
});

test('a larger volume is refused where the storage class cannot grow', () => {
  expect(judge(world('20Gi'), world('40Gi'), { expandable: false })).toEqual([expect.stringContaining('storage.expandable is false')]);
});

test('another storage class is refused without a step that would touch claims', () => {
  const [refusal = ''] = judge(world('20Gi'), world('20Gi', {}, 'local-path'));
  expect([refusal.includes('cannot be changed'), refusal.includes('patch pvc')]).toEqual([true, false]);
});

test('every frozen field is named', () => {
  expect(judge(world('20Gi'), world('20Gi', { serviceName: 'other', podManagementPolicy: 'Parallel' }))[0]).toContain(
    'spec.serviceName, spec.podManagementPolicy of a StatefulSet cannot be changed',
  );
});

describe('a database', () => {
  const file = 'homelab/database/database/Cluster.postgres-1.yaml';
  const database = (size: string) =>
    stringify({
      apiVersion: 'postgresql.cnpg.io/v1',
      kind: 'Cluster',
      metadata: { name: 'postgres-1', namespace: 'database' },
      spec: { storage: { size } },
    });
  const change = (from: string, to: string) =>
    judgeFrozenFields(new Map([[file, database(from)]]), new Map([[file, database(to)]]), [file], { expandable: new Map(), orphaned: [] });

  test('may grow, because its operator does that', () => {
    expect(change('10Gi', '20Gi')).toEqual([]);
  });

  test('cannot shrink', () => {
    expect(change('10Gi', '5Gi')).toEqual([
      `dist/${file}: the database's volumes cannot shrink (10Gi → 5Gi); the operator refuses it. Write at least '10Gi'.`,
    ]);
  });
});
