/**
 * Cases of the check `probes-and-resources`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { probesAndResources } from '../../lib/checks/probes-and-resources';
import { changed, excepting, sentencesOf, violationsOf } from './fixture';

// biome-ignore lint/suspicious/noExplicitAny: tests break objects in ways that types forbid.
type Any = any;
const WORLD = 'StatefulSet realm-aurora/eldermoor';
const sentences = (objects?: Parameters<typeof sentencesOf>[1]) => sentencesOf(probesAndResources, objects);
const container = (change: (container: Any) => void) => changed(WORLD, ({ spec }) => change(spec.template.spec.containers[0]));

describe('probes-and-resources', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it('asks for a readiness probe', () => {
    expect(sentences(container((each) => void delete each.readinessProbe))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].readinessProbe: Container 'game' has no readiness probe: it gets traffic before it can answer, and while it cannot.",
    ]);
  });

  it('asks for a liveness probe beside the startup probe, which ends with the start', () => {
    expect(sentences(container((each) => void delete each.livenessProbe))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].livenessProbe: Container 'game' has no liveness probe: nobody restarts it when it hangs.",
    ]);
  });

  it('takes a liveness probe without a startup probe', () => {
    expect(sentences(container((each) => void delete each.startupProbe))).toEqual([]);
  });

  it('lets a container go without a liveness probe where the object says why', () => {
    const field = 'spec.template.spec.containers[game].livenessProbe';
    const objects = container((each) => void delete each.livenessProbe);
    expect(sentences(excepting(objects, WORLD, { rule: probesAndResources.id, field, reason: 'a debugger holds it' }))).toEqual([]);
  });

  it("asks for the resources of an archive's side container", () => {
    const objects = changed('ObjectStore database/backups', ({ spec }) => void delete spec.instanceSidecarConfiguration);
    expect(violationsOf(probesAndResources, objects).map(({ object, field }) => `${object} ${field}`)).toEqual([
      'ObjectStore database/backups spec.instanceSidecarConfiguration.resources.requests.cpu',
      'ObjectStore database/backups spec.instanceSidecarConfiguration.resources.requests.memory',
      'ObjectStore database/backups spec.instanceSidecarConfiguration.resources.limits.memory',
    ]);
  });

  it('asks an init container for no probes', () => {
    const objects = changed(WORLD, ({ spec }) => {
      const { name: _, readinessProbe: _r, startupProbe: _s, livenessProbe: _l, ...rest } = spec.template.spec.containers[0];
      spec.template.spec.initContainers = [{ name: 'fetch', ...rest }];
    });
    expect(sentences(objects)).toEqual([]);
  });

  it('asks a sidecar for probes', () => {
    const objects = changed(WORLD, ({ spec }) => {
      const { name: _, readinessProbe: _r, ...rest } = spec.template.spec.containers[0];
      spec.template.spec.initContainers = [{ name: 'proxy', restartPolicy: 'Always', ...rest }];
    });
    expect(violationsOf(probesAndResources, objects).map(({ field }) => field)).toEqual([
      'spec.template.spec.initContainers[proxy].readinessProbe',
    ]);
  });

  it.each<[string, (resources: Any) => void]>([
    ['requests.cpu', ({ requests }) => void delete requests.cpu],
    ['requests.memory', ({ requests }) => void delete requests.memory],
    ['limits.memory', ({ limits }) => void delete limits.memory],
    [
      'limits.cpu',
      ({ limits }) => {
        limits.cpu = '2';
      },
    ],
  ])('judges %s', (field, change) => {
    const objects = container(({ resources }) => change(resources));
    expect(violationsOf(probesAndResources, objects).map((each) => each.field)).toEqual([
      `spec.template.spec.containers[game].resources.${field}`,
    ]);
  });

  it('says why there is no CPU limit', () => {
    expect(
      sentences(
        container(({ resources }) => {
          resources.limits.cpu = '2';
        }),
      ),
    ).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].resources.limits.cpu: Container 'game' has a CPU limit (2): it is stopped for the rest of each tenth of a second in which it used that up.",
    ]);
  });

  it('refuses a limit below the request', () => {
    expect(
      sentences(
        container(({ resources }) => {
          resources.limits.memory = '512Mi';
        }),
      ),
    ).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].resources.limits.memory: Container 'game' may use 512Mi of memory but requests 1Gi: the API server refuses it.",
    ]);
  });

  it("asks for resources of a Fleet's game servers", () => {
    const objects = changed(
      'Fleet instances/dungeon',
      ({ spec }) => void delete spec.template.spec.template.spec.containers[0].resources.limits,
    );
    expect(sentences(objects)).toEqual([
      "Fleet instances/dungeon spec.template.spec.template.spec.containers[game].resources.limits.memory: Container 'game' has no memory limit: a leak ends other pods of the node, not this one.",
    ]);
  });

  it("refuses a Fleet without Agones' health check", () => {
    expect(
      sentences(
        changed('Fleet instances/dungeon', ({ spec }) => {
          spec.template.spec.health = { disabled: true };
        }),
      ),
    ).toEqual([
      "Fleet instances/dungeon spec.template.spec.health.disabled: Agones' health check is off, and its game servers have no other: one that hangs keeps its players and its port.",
    ]);
  });

  it('asks for resources of the database', () => {
    expect(sentences(changed('Cluster database/postgres', ({ spec }) => void delete spec.resources.limits))).toEqual([
      'Cluster database/postgres spec.resources.limits.memory: An instance has no memory limit: a leak ends other pods of the node, not this one.',
    ]);
  });

  it('lets a container go without a probe with an exception', () => {
    const exception = { rule: 'probes-and-resources', field: 'spec.template.spec.containers[game].readinessProbe', reason: 'a test' };
    expect(
      sentences(
        excepting(
          container((each) => void delete each.readinessProbe),
          WORLD,
          exception,
        ),
      ),
    ).toEqual([]);
  });
});
