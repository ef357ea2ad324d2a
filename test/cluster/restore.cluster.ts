/**
 * The restore of a world on a real API server with its controllers: the manifests are taken, the printed steps exchange the volumes of a running world and back, and
 * no volume goes. K8up and the storage driver are played: the test says that the restore completed.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildCluster } from '../../lib/build';
import type { PlainObject } from '../../lib/emit/manifest';
import { type ClusterDescription, resolveCluster } from '../../lib/model/cluster';
import { type RestorePlan, WORLD_FILES } from '../../lib/restore/world';
import { memoryStore } from '../../lib/secrets/store';
import { exampleHomelab } from '../examples';
import { objectsIn, planFor } from '../restore/fixtures';
import { Client } from './client';
import { eventually } from './judge';
import { personAt, readyPods } from './person';
import { runningPlanes, type TestPlane } from './planes';
import { applyRealm } from './realm';

/** A realm of its own: other tests of the run have those of dist in the same servers. */
const REALM = 'restored';
const NAMESPACE = `realm-${REALM}`;
const WORLD = 'eldermoor';
const CLAIM = `world-${WORLD}-0`;

const planes = runningPlanes().filter((plane) => plane.cluster === 'homelab' && plane.controllers);

if (planes.length === 0) test.skip('Restores are not tried: there are no controllers in KUBEBUILDER_ASSETS.', () => undefined);
else
  describe.each(planes.map((plane) => ({ plane, version: plane.version })))('a restore on Kubernetes $version', ({ plane }) =>
    judge(plane),
  );

function judge(plane: TestPlane): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'restore-'));
  const client = new Client(plane);
  let plan: RestorePlan;
  let first: string;

  const asPrinted = personAt(plane, folder);
  // There is no kubelet that would have a log.
  const run = (commands: readonly string[]): void => {
    for (const command of commands.filter((each) => !each.includes(' logs '))) asPrinted(command);
  };
  const claim = (name: string) => client.get(`/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/${name}`);
  const volumeOf = async (name: string): Promise<string> => (await claim(name)).spec.volumeName;
  const volume = (name: string) => client.get(`/api/v1/persistentvolumes/${name}`);
  const bound = async (name: string): Promise<string> => {
    const found = await eventually(
      // The controllers make it when they get to it.
      () => claim(name).catch(() => undefined),
      (each) => each?.status?.phase === 'Bound',
    );
    return found?.spec.volumeName ?? 'none';
  };
  const readyPod = () => readyPods(client, NAMESPACE, WORLD);
  const [restored, kept] = ['eldermoor-202606011234', 'eldermoor-before-202606011234'];

  beforeAll(async () => {
    await client.discover();
    const [aurora] = exampleHomelab.realms ?? [];
    const description = {
      ...exampleHomelab,
      realms: [{ ...aurora, name: REALM, continents: [{ name: WORLD, address: '192.168.1.245', port: 40000 }] }],
    } as ClusterDescription;
    plan = planFor(`${REALM}/${WORLD}`, description, path.join(folder, 'files'));
    execFileSync('mkdir', [path.join(folder, 'files')]);
    for (const [name, text] of plan.files) writeFileSync(path.join(folder, 'files', name), text);
    // The world as dist has it, running.
    const { objects } = buildCluster(resolveCluster(description), { store: memoryStore('everything') });
    await applyRealm(
      client,
      objects.map(({ manifest }) => manifest),
      NAMESPACE,
    );
    first = await bound(CLAIM);
    await readyPod();
  });
  afterAll(async () => {
    await client.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }).catch(() => undefined);
    client.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is taken by the API server, strictly and without a warning', async () => {
    const answers = await Promise.all(objectsIn(plan, WORLD_FILES.restore).map((object) => client.dryRunCreate(object)));
    expect(answers.flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  test('refuses to exchange volumes while the world runs', async () => {
    await client.apply(objectsIn(plan, WORLD_FILES.restore)[0] as PlainObject);
    expect(() => asPrinted(`sh ${folder}/files/${WORLD_FILES.swap} ${restored}`)).toThrow(
      /The world eldermoor is not stopped; stop it first\./,
    );
    expect(await volumeOf(CLAIM)).toBe(first);
  });

  test('gives the world the new volume by the printed steps, and keeps the old one', async () => {
    const [apply = '', ...rest] = plan.list.steps[0]?.commands ?? [];
    asPrinted(apply);
    // K8up's part: a pod uses the claim, and the restore is completed.
    await usePod(client, restored);
    const second = await bound(restored);
    await complete(client, restored);
    run(rest);
    for (const step of plan.list.steps.slice(1)) run(step.commands);
    expect([await volumeOf(CLAIM), await volumeOf(kept)]).toEqual([second, first]);
  });

  test('ends with both volumes bound, and neither of them going with its claim', async () => {
    const volumes = await Promise.all([volumeOf(CLAIM), volumeOf(kept)].map(async (name) => volume(await name)));
    expect(volumes.map(({ status, spec }) => [status.phase, spec.persistentVolumeReclaimPolicy])).toEqual([
      ['Bound', 'Retain'],
      ['Bound', 'Retain'],
    ]);
  });

  test('ends with a world that is ready', async () => {
    expect((await readyPod()).map(({ metadata }) => metadata.name)).toEqual([`${WORLD}-0`]);
  });

  test('is undone by the printed way back', async () => {
    run(plan.list.afterwards[0]?.commands ?? []);
    expect(await volumeOf(CLAIM)).toBe(first);
    expect((await readyPod()).length).toBe(1);
  });

  test('ends for good what was replaced, and nothing else', async () => {
    const gone = await volumeOf(kept);
    asPrinted((plan.list.afterwards[1]?.commands ?? []).join('\n'));
    // Who deletes a volume of this policy is the storage driver, which is played here: the order to do so is the volume's phase.
    const found = await eventually(
      () => volume(gone).catch(() => undefined),
      (each) => each === undefined || each.status.phase === 'Released' || each.status.phase === 'Failed',
    );
    expect([found?.spec.persistentVolumeReclaimPolicy ?? 'Delete', (await volume(first)).status.phase]).toEqual(['Delete', 'Bound']);
  });
}

/** A pod that mounts the claim, as K8up's Job does, until the volume is there. */
async function usePod(client: Client, claimName: string): Promise<void> {
  await client.request('POST', `/api/v1/namespaces/${NAMESPACE}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'restic', namespace: NAMESPACE },
    spec: {
      securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'restore',
          image: 'registry.invalid/restic',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [{ name: 'world', mountPath: '/restore' }],
        },
      ],
      volumes: [{ name: 'world', persistentVolumeClaim: { claimName } }],
    },
  });
  await eventually(
    () => client.get(`/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/${claimName}`),
    ({ status }) => status?.phase === 'Bound',
  );
  await client.request('DELETE', `/api/v1/namespaces/${NAMESPACE}/pods/restic`);
  await eventually(
    () => client.list(`/api/v1/namespaces/${NAMESPACE}/pods`),
    (pods) => pods.every(({ metadata }) => metadata.name !== 'restic'),
  );
}

/** What K8up writes when its Job has ended. */
async function complete(client: Client, name: string): Promise<void> {
  const object = await client.get(`/apis/k8up.io/v1/namespaces/${NAMESPACE}/restores/${name}`);
  const condition = {
    type: 'Completed',
    status: 'True',
    reason: 'Succeeded',
    message: 'done',
    lastTransitionTime: new Date().toISOString(),
  };
  await client.request('PUT', `/apis/k8up.io/v1/namespaces/${NAMESPACE}/restores/${name}/status`, {
    ...object,
    status: { conditions: [condition] },
  });
}
