/**
 * A world's volume grows on a real API server by the steps that the synth prints: the claim is expanded, the StatefulSet is made anew with the larger template, and the
 * pod that runs is adopted. That the file system grows too is the storage driver's part, which is not here.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import type { PlainObject } from '../../lib/emit/manifest';
import { judgeFrozenFields } from '../../lib/frozen-fields';
import type { ClusterDescription } from '../../lib/model/cluster';
import { memoryStore } from '../../lib/secrets/store';
import { synthesize } from '../../lib/synth';
import { exampleHomelab } from '../examples';
import { ApiError, Client } from './client';
import { eventually } from './judge';
import { personAt, readyPods } from './person';
import { runningPlanes, type TestPlane } from './planes';
import { applyRealm } from './realm';

/** A realm of its own: other tests of the run have those of dist in the same servers. */
const REALM = 'grown';
const NAMESPACE = `realm-${REALM}`;
const WORLD = 'eldermoor';
const FILE = `homelab/${NAMESPACE}/${NAMESPACE}/StatefulSet.${WORLD}.yaml`;

const planes = runningPlanes().filter((plane) => plane.cluster === 'homelab' && plane.controllers);

if (planes.length === 0) test.skip('Growth is not tried: there are no controllers in KUBEBUILDER_ASSETS.', () => undefined);
else
  describe.each(planes.map((plane) => ({ plane, version: plane.version })))('growth on Kubernetes $version', ({ plane }) => judge(plane));

function judge(plane: TestPlane): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'growth-'));
  const client = new Client(plane);
  const [small, large] = [filesOf('20Gi'), filesOf('40Gi')];
  const wanted = parse(large.get(FILE) ?? '') as PlainObject;
  const printed = judgeFrozenFields(small, large, [FILE], { expandable: new Map([['homelab', true]]), orphaned: [] })
    .join('\n')
    .split('\n')
    .map((line) => line.trim().replace(/ +#.*$/, ''))
    .filter((line) => line.startsWith('kubectl '));
  const asPrinted = personAt(plane, folder);
  const pod = async () => {
    const [found] = await readyPods(client, NAMESPACE, WORLD);
    return found?.metadata as unknown as { uid: string; ownerReferences?: { uid: string }[] } | undefined;
  };
  let before: string | undefined;

  beforeAll(async () => {
    await client.discover();
    await client.request(
      'PATCH',
      '/apis/storage.k8s.io/v1/storageclasses/longhorn',
      { allowVolumeExpansion: true },
      'application/merge-patch+json',
    );
    await applyRealm(
      client,
      [...small.values()].map((text) => parse(text) as PlainObject),
      NAMESPACE,
    );
    before = (await pod())?.uid;
  });
  afterAll(async () => {
    await client.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }).catch(() => undefined);
    client.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is printed as two commands at the cluster', () => {
    expect(printed.map((command) => command.split(' ')[3])).toEqual(['patch', 'delete']);
  });

  test('begins with a claim that is larger', async () => {
    asPrinted(printed[0] ?? '');
    const claim = await client.get(`/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/world-${WORLD}-0`);
    expect(claim.spec.resources.requests.storage).toBe('40Gi');
  });

  test('cannot simply be applied: the template is frozen', async () => {
    const refusal = await client.apply(wanted).catch((error: unknown) => error);
    expect([refusal instanceof ApiError, (refusal as ApiError).status]).toEqual([true, 422]);
  });

  test('lets the pod run on when the StatefulSet is orphaned', async () => {
    asPrinted(printed[1] ?? '');
    expect((await pod())?.uid).toBe(before);
  });

  test('ends with the StatefulSet made anew, which has adopted the same pod', async () => {
    const { body } = await client.apply(wanted);
    const adopted = await eventually(
      pod,
      (found) => found?.ownerReferences?.[0]?.uid === (body.metadata as unknown as { uid: string }).uid,
    );
    const found = await client.get(client.pathOf(wanted));
    expect([adopted?.uid, adopted?.ownerReferences?.length, found.spec.volumeClaimTemplates[0].spec.resources.requests.storage]).toEqual([
      before,
      1,
      '40Gi',
    ]);
  });
}

function filesOf(storage: string): ReadonlyMap<string, string> {
  const [aurora] = exampleHomelab.realms ?? [];
  const description = {
    ...exampleHomelab,
    realms: [{ ...aurora, name: REALM, storage, continents: [{ name: WORLD, address: '192.168.1.245', port: 40000 }] }],
  } as ClusterDescription;
  return synthesize([description], { store: () => memoryStore('everything') }).files;
}
