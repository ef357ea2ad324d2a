/** How requests of pods are summed up and told. */
import { describeRequests, sumOfRequests } from '../lib/requests';
import { built, changed, find, goodObjects, withMore } from './checks/fixture';

// biome-ignore lint/suspicious/noExplicitAny: tests change objects in ways that types forbid.
type Any = any;
const GI = 1024 ** 3;
const of = (workload: string, objects = goodObjects()) =>
  sumOfRequests(built(objects)).workloads.find((each) => each.workload === workload);
const fleet = (policy: Any) =>
  of(
    'Fleet instances/dungeon',
    changed('FleetAutoscaler instances/dungeon', ({ spec }) => {
      spec.policy = policy;
    }),
  );

describe('sumOfRequests', () => {
  it('counts a world once, with its volume', () => {
    expect(of('StatefulSet realm-aurora/eldermoor')).toEqual({
      workload: 'StatefulSet realm-aurora/eldermoor',
      pods: { min: 1, max: 1 },
      cpu: { min: 0.5, max: 0.5 },
      memory: { min: GI, max: GI },
      storage: 20 * GI,
    });
  });

  it('counts the volume of a retired world, whose pod is gone', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
      spec.replicas = 0;
    });
    expect(of('StatefulSet realm-aurora/eldermoor', objects)).toMatchObject({
      pods: { min: 0, max: 0 },
      cpu: { max: 0 },
      storage: 20 * GI,
    });
  });

  it('counts a Deployment from the least to the most replicas of its autoscaler', () => {
    expect(of('Deployment connect-broker/connect-broker')).toMatchObject({ pods: { min: 2, max: 4 }, cpu: { min: 0.2, max: 0.4 } });
  });

  it('counts game servers from the buffer to the maximum', () => {
    expect(of('Fleet instances/dungeon')).toMatchObject({ pods: { min: 2, max: 20 }, memory: { min: 2 * GI, max: 20 * GI } });
  });

  it('counts a percentage as no more than the minimum', () => {
    expect(fleet({ type: 'Buffer', buffer: { bufferSize: '20%', minReplicas: 1, maxReplicas: 9 } })?.pods).toEqual({ min: 1, max: 9 });
  });

  it('counts the servers that hold a capacity', () => {
    const policy = { type: 'List', list: { key: 'players', bufferSize: 5, minCapacity: 6, maxCapacity: 50 } };
    expect(fleet(policy)?.pods).toEqual({ min: 2, max: 10 });
  });

  it('counts a chain from its least to its most', () => {
    const buffer = (bufferSize: number, maxReplicas: number) => ({ type: 'Buffer', buffer: { bufferSize, maxReplicas } });
    const chain = [
      { id: 'evening', type: 'Schedule', schedule: { policy: buffer(8, 40) } },
      { id: 'otherwise', ...buffer(1, 10) },
    ];
    expect(fleet({ type: 'Chain', chain })?.pods).toEqual({ min: 1, max: 40 });
  });

  it('counts each instance of the database, with its backup sidecar and its volume', () => {
    expect(of('Cluster database/postgres')).toMatchObject({
      pods: { min: 2, max: 2 },
      cpu: { min: 0.6 },
      memory: { min: 1.25 * GI },
      storage: 20 * GI,
    });
  });

  it('adds the archiver beside each instance of the database', () => {
    const objects = changed('ObjectStore database/backups', ({ spec }) => {
      spec.instanceSidecarConfiguration = { resources: { requests: { cpu: '50m', memory: '256Mi' } } };
    });
    expect(of('Cluster database/postgres', objects)).toMatchObject({ cpu: { min: 0.6 }, memory: { min: 1.5 * GI } });
  });

  it('counts a DaemonSet once a node', () => {
    const spec = { template: { spec: { containers: [{ name: 'agent', resources: { requests: { cpu: '100m', memory: '1Gi' } } }] } } };
    const objects = withMore('realms', {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: 'realm-aurora' },
      spec,
    });
    expect(of('DaemonSet realm-aurora/agent', objects)).toMatchObject({ pods: { min: 2, max: 2 }, memory: { min: 2 * GI } });
  });

  it('counts a Job as none or one', () => {
    const spec = { template: { spec: { containers: [{ name: 'migrate', resources: { requests: { cpu: '100m', memory: '1Gi' } } }] } } };
    const objects = withMore('realms', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate', namespace: 'realm-aurora' },
      spec,
    });
    expect(of('Job realm-aurora/migrate', objects)).toMatchObject({ pods: { min: 0, max: 1 } });
  });

  it('counts an init container only where it needs more than what runs after it', () => {
    const objects = goodObjects();
    const { spec } = find(objects, 'StatefulSet realm-aurora/eldermoor').manifest.spec.template;
    spec.initContainers = [{ name: 'unpack', resources: { requests: { cpu: '100m', memory: '3Gi' } } }];
    expect(of('StatefulSet realm-aurora/eldermoor', objects)).toMatchObject({ cpu: { min: 0.5 }, memory: { min: 3 * GI } });
  });

  it('adds a sidecar to what runs', () => {
    const objects = goodObjects();
    const { spec } = find(objects, 'StatefulSet realm-aurora/eldermoor').manifest.spec.template;
    spec.initContainers = [{ name: 'proxy', restartPolicy: 'Always', resources: { requests: { cpu: '500m', memory: '1Gi' } } }];
    expect(of('StatefulSet realm-aurora/eldermoor', objects)).toMatchObject({ cpu: { min: 1 }, memory: { min: 2 * GI } });
  });

  it('adds up all workloads', () => {
    const { workloads, memory } = sumOfRequests(built());
    expect(memory.max).toBe(workloads.reduce((sum, each) => sum + each.memory.max, 0));
  });
});

describe('describeRequests', () => {
  it('says the sum in a sentence', () => {
    expect(describeRequests(sumOfRequests(built()))).toBe(
      'Requests of what is ours (upstream charts come on top): 7 to 28 pods, 2.3 to 11.5 cores, 4.6 to 23 GiB of memory, 40 GiB of volumes.',
    );
  });
});
