/**
 * The claims about Pod Security: every pod that comes from dist is admitted in its namespace without a warning, and what a namespace forbids is refused.
 * Pods that other operators make of their own resources (PostgreSQL's, backup Jobs) are deliberately not here: nothing in dist says what they look like.
 */
import type { PlainObject } from '../../lib/emit/manifest';
import { AGONES_SERVICE_ACCOUNT, gameServerPod } from './agones-pod';
import { ApiError } from './client';
import { named } from './dist';
import type { Judge } from './judge';

const ENFORCE = 'pod-security.kubernetes.io/enforce';
/** Any port of a node will do: admission looks at the use of host ports. */
const HOST_PORT = 7000;
/** Name of the pod that has nothing, and of its ServiceAccount. */
const BARE = 'bare';

export function isAdmitted(judge: () => Judge): void {
  beforeAll(async () => {
    // As the chart of Agones makes it in each namespace of game servers.
    for (const namespace of new Set(
      judge()
        .objects('Fleet')
        .map((fleet) => fleet.metadata.namespace),
    )) {
      await judge().client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: AGONES_SERVICE_ACCOUNT, namespace } });
    }
    for (const namespace of [...namespacesAt(judge(), 'restricted'), ...namespacesAt(judge(), 'baseline')])
      await judge().client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: BARE, namespace } });
  });

  test('every pod that dist describes is admitted in its namespace, without a warning', async () => {
    const complaints: string[] = [];
    for (const { of, pod } of podsOf(judge())) {
      const answer = await admission(judge(), pod);
      if (answer.length > 0) complaints.push(`${named(of)}: ${answer.join('; ')}`);
    }
    expect(complaints).toEqual([]);
  });

  test('among them are every world, every kind of instance, the broker and its migration', () => {
    const judged = new Set(podsOf(judge()).map(({ of }) => named(of)));
    const worlds = judge()
      .objects('StatefulSet')
      .filter((each) => each.metadata.labels?.['mmo/continent'] !== undefined);
    const wanted = [
      'Deployment connect-broker/connect-broker',
      'Job connect-broker/connect-broker-migrate',
      ...[...worlds, ...judge().objects('Fleet')].map(named),
    ];
    expect(worlds.length).toBeGreaterThan(0);
    expect(wanted.filter((each) => !judged.has(each))).toEqual([]);
  });

  test('a pod that runs as root is refused in every restricted namespace', async () => {
    const admitted: string[] = [];
    for (const namespace of namespacesAt(judge(), 'restricted')) {
      if ((await admission(judge(), bare(namespace, {}))).join().includes('violates PodSecurity "restricted')) continue;
      admitted.push(namespace);
    }
    expect(namespacesAt(judge(), 'restricted')).not.toEqual([]);
    expect(admitted).toEqual([]);
  });

  test("a pod in the node's network is refused in every baseline namespace", async () => {
    const admitted: string[] = [];
    for (const namespace of namespacesAt(judge(), 'baseline')) {
      if ((await admission(judge(), bare(namespace, { hostNetwork: true }))).join().includes('violates PodSecurity "baseline')) continue;
      admitted.push(namespace);
    }
    expect(admitted).toEqual([]);
  });

  test("baseline refuses an instance's pod for its host port alone, which is why its namespace is privileged", async () => {
    const [fleet] = judge().objects('Fleet');
    if (fleet === undefined) return;
    const namespace = 'baseline-for-instances';
    await judge().client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { [ENFORCE]: 'baseline' } } });
    await judge().client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: AGONES_SERVICE_ACCOUNT, namespace } });
    const pod = gameServerPod(fleet, HOST_PORT);
    const answer = await admission(judge(), { ...pod, metadata: { ...pod.metadata, namespace } });
    expect(answer.join()).toMatch(/violates PodSecurity "baseline:latest": hostPort \(container "\w+" uses hostPort 7000\)$/);
  });
}

/** Every pod template of dist as a pod, with what a controller adds to it. */
function podsOf(judge: Judge): { readonly of: PlainObject; readonly pod: PlainObject }[] {
  const ours = judge.objects('StatefulSet', 'Deployment', 'Job', 'DaemonSet', 'CronJob').map((of) => {
    const { metadata, spec } = (of.kind === 'CronJob' ? of.spec.jobTemplate : of).spec.template;
    const claims: PlainObject[] = of.spec.volumeClaimTemplates ?? [];
    const volumes = claims.map((claim) => ({
      name: claim.metadata.name,
      persistentVolumeClaim: { claimName: `${claim.metadata.name}-${of.metadata.name}-0` },
    }));
    const pod: PlainObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: `${of.metadata.name}-judged`, namespace: of.metadata.namespace },
      spec: { ...spec, volumes: [...(spec.volumes ?? []), ...volumes] },
    };
    return { of, pod };
  });
  return [...ours, ...judge.objects('Fleet').map((of) => ({ of, pod: gameServerPod(of, HOST_PORT) }))];
}

/** What admission says: the refusal, or the warnings; nothing when it is content. */
async function admission(judge: Judge, pod: PlainObject): Promise<readonly string[]> {
  try {
    return (await judge.client.dryRunCreate(pod)).warnings;
  } catch (error) {
    if (error instanceof ApiError) return [error.message];
    throw error;
  }
}

function namespacesAt(judge: Judge, level: string): string[] {
  return judge
    .objects('Namespace')
    .filter((namespace) => namespace.metadata.labels?.[ENFORCE] === level)
    .map((namespace) => namespace.metadata.name);
}

/** The least that is a pod. The namespace's default ServiceAccount is the controllers' to make, which may not be here. */
function bare(namespace: string, spec: object): PlainObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: BARE, namespace },
    spec: { ...spec, serviceAccountName: BARE, automountServiceAccountToken: false, containers: [{ name: BARE, image: BARE }] },
  };
}
