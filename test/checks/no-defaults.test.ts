/**
 * Cases of the check `no-defaults`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { noDefaults } from '../../lib/checks/no-defaults';
import { changed, excepting, sentencesOf, violationsOf } from './fixture';

// biome-ignore lint/suspicious/noExplicitAny: tests break objects in ways that types forbid.
type Any = any;
const sentences = (objects?: Parameters<typeof sentencesOf>[1]) => sentencesOf(noDefaults, objects);
const SERVICE = 'Service connect-broker/connect-broker';
const container = (change: (container: Any) => void) =>
  changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => change(spec.template.spec.containers[0]));

describe('no-defaults', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it('says which value is the default', () => {
    expect(
      sentences(
        changed(SERVICE, ({ spec }) => {
          spec.sessionAffinity = 'None';
        }),
      ),
    ).toEqual(['Service connect-broker/connect-broker spec.sessionAffinity: "None" is the default here.']);
  });

  it.each<[string, string, (spec: Any) => void]>([
    [
      SERVICE,
      'spec.type',
      (spec) => {
        spec.type = 'ClusterIP';
      },
    ],
    [
      SERVICE,
      'spec.ports[http].protocol',
      (spec) => {
        spec.ports[0].protocol = 'TCP';
      },
    ],
    [
      SERVICE,
      'spec.ports[http].targetPort',
      (spec) => {
        spec.ports[0].targetPort = 80;
      },
    ],
    [
      'Deployment connect-broker/connect-broker',
      'spec.revisionHistoryLimit',
      (spec) => {
        spec.revisionHistoryLimit = 10;
      },
    ],
    [
      'Deployment connect-broker/connect-broker',
      'spec.strategy.type',
      (spec) => {
        spec.strategy = { type: 'RollingUpdate' };
      },
    ],
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.replicas',
      (spec) => {
        spec.replicas = 1;
      },
    ],
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.podManagementPolicy',
      (spec) => {
        spec.podManagementPolicy = 'OrderedReady';
      },
    ],
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.template.spec.restartPolicy',
      (spec) => {
        spec.template.spec.restartPolicy = 'Always';
      },
    ],
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.template.spec.dnsPolicy',
      (spec) => {
        spec.template.spec.dnsPolicy = 'ClusterFirst';
      },
    ],
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.template.spec.terminationGracePeriodSeconds',
      (spec) => {
        spec.template.spec.terminationGracePeriodSeconds = 30;
      },
    ],
    [
      'StatefulSet realm-aurora/eldermoor',
      'spec.template.spec.volumes[netcode-key].secret.defaultMode',
      (spec) => {
        spec.template.spec.volumes[0].secret.defaultMode = 0o644;
      },
    ],
    [
      'Fleet instances/dungeon',
      'spec.scheduling',
      (spec) => {
        spec.scheduling = 'Packed';
      },
    ],
    [
      'Fleet instances/dungeon',
      'spec.template.spec.ports[game].portPolicy',
      (spec) => {
        spec.template.spec.ports[0].portPolicy = 'Dynamic';
      },
    ],
    [
      'Fleet instances/dungeon',
      'spec.template.spec.health.disabled',
      (spec) => {
        spec.template.spec.health = { disabled: false };
      },
    ],
    [
      'Fleet instances/dungeon',
      'spec.template.spec.container',
      (spec) => {
        spec.template.spec.container = 'game';
      },
    ],
    [
      'Fleet instances/dungeon',
      'spec.template.spec.lists.players.capacity',
      (spec) => {
        spec.template.spec.lists.players.capacity = 1000;
      },
    ],
    [
      'FleetAutoscaler instances/dungeon',
      'spec.sync.fixedInterval.seconds',
      (spec) => {
        spec.sync = { type: 'FixedInterval', fixedInterval: { seconds: 30 } };
      },
    ],
    [
      'Cluster database/postgres',
      'spec.enablePDB',
      (spec) => {
        spec.enablePDB = true;
      },
    ],
    [
      'IPAddressPool metallb-system/games',
      'spec.autoAssign',
      (spec) => {
        spec.autoAssign = true;
      },
    ],
    [
      'HorizontalPodAutoscaler connect-broker/connect-broker',
      'spec.minReplicas',
      (spec) => {
        spec.minReplicas = 1;
      },
    ],
  ])('refuses the default of %s at %s', (id, field, change) => {
    expect(
      violationsOf(
        noDefaults,
        changed(id, ({ spec }) => change(spec)),
      ).map((each) => each.field),
    ).toEqual([field]);
  });

  it.each<[string, (container: Any) => void]>([
    [
      'imagePullPolicy',
      (each) => {
        each.imagePullPolicy = 'IfNotPresent';
      },
    ],
    [
      'terminationMessagePath',
      (each) => {
        each.terminationMessagePath = '/dev/termination-log';
      },
    ],
    [
      'ports[status].protocol',
      (each) => {
        each.ports[1].protocol = 'TCP';
      },
    ],
    [
      'livenessProbe.periodSeconds',
      (each) => {
        each.livenessProbe.periodSeconds = 10;
      },
    ],
    [
      'readinessProbe.httpGet.scheme',
      (each) => {
        each.readinessProbe.httpGet.scheme = 'HTTP';
      },
    ],
  ])("refuses the default of a container's %s", (field, change) => {
    expect(violationsOf(noDefaults, container(change)).map((each) => each.field)).toEqual([`spec.template.spec.containers[game].${field}`]);
  });

  it('takes an image pull policy that is not the default', () => {
    expect(
      sentences(
        container((each) => {
          each.imagePullPolicy = 'Always';
        }),
      ),
    ).toEqual([]);
  });

  it('takes the retention policy of claims, which is written although it is the default', () => {
    const objects = changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => {
      spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Retain', whenScaled: 'Retain' };
    });
    expect(sentences(objects)).toEqual([]);
  });

  it('lets a default stand with an exception', () => {
    const objects = changed(SERVICE, ({ spec }) => {
      spec.type = 'ClusterIP';
    });
    expect(sentences(excepting(objects, SERVICE, { rule: 'no-defaults', field: 'spec.type', reason: 'a test' }))).toEqual([]);
  });
});
