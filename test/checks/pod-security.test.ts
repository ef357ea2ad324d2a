/**
 * Cases of the check `pod-security`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { podSecurity } from '../../lib/checks/pod-security';
import { resolveCluster } from '../../lib/model/cluster';
import { changed, description, excepting, sentencesOf, violationsOf } from './fixture';

// biome-ignore lint/suspicious/noExplicitAny: tests break objects in ways that types forbid.
type Any = any;
const WORLD = 'StatefulSet realm-aurora/eldermoor';
const sentences = (objects?: Parameters<typeof sentencesOf>[1], overrides = {}) => sentencesOf(podSecurity, objects, overrides);
const pod = (change: (spec: Any) => void) => changed(WORLD, ({ spec }) => change(spec.template.spec));
const container = (change: (spec: Any) => void) => pod(({ containers }) => change(containers[0]));

describe('pod-security', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it.each<[string, (spec: Any) => void]>([
    ['runAsNonRoot', ({ securityContext }) => void delete securityContext.runAsNonRoot],
    ['runAsUser', ({ securityContext }) => void delete securityContext.runAsUser],
    [
      'runAsGroup',
      ({ securityContext }) => {
        securityContext.runAsGroup = 0;
      },
    ],
    [
      'fsGroup',
      ({ securityContext }) => {
        securityContext.fsGroup = 0;
      },
    ],
    [
      'seccompProfile.type',
      ({ securityContext }) => {
        securityContext.seccompProfile = { type: 'Unconfined' };
      },
    ],
  ])("asks for the pod's %s", (field, change) => {
    expect(violationsOf(podSecurity, pod(change)).map((each) => each.field)).toEqual([`spec.template.spec.securityContext.${field}`]);
  });

  it.each<[string, (context: Any) => void]>([
    [
      'runAsNonRoot',
      (context) => {
        context.runAsNonRoot = false;
      },
    ],
    [
      'runAsUser',
      (context) => {
        context.runAsUser = 0;
      },
    ],
    [
      'runAsGroup',
      (context) => {
        context.runAsGroup = 0;
      },
    ],
    [
      'seccompProfile.type',
      (context) => {
        context.seccompProfile = { type: 'Localhost' };
      },
    ],
    ['allowPrivilegeEscalation', (context) => void delete context.allowPrivilegeEscalation],
    [
      'readOnlyRootFilesystem',
      (context) => {
        context.readOnlyRootFilesystem = false;
      },
    ],
    [
      'capabilities.drop',
      (context) => {
        context.capabilities = { drop: ['NET_RAW'] };
      },
    ],
    [
      'capabilities.add',
      (context) => {
        context.capabilities.add = ['NET_ADMIN'];
      },
    ],
    [
      'privileged',
      (context) => {
        context.privileged = true;
      },
    ],
    [
      'procMount',
      (context) => {
        context.procMount = 'Unmasked';
      },
    ],
  ])("asks for the container's %s", (field, change) => {
    const objects = container(({ securityContext }) => change(securityContext));
    expect(violationsOf(podSecurity, objects).map((each) => each.field)).toEqual([
      `spec.template.spec.containers[game].securityContext.${field}`,
    ]);
  });

  it('refuses root as a sentence with the value', () => {
    expect(
      sentences(
        pod(({ securityContext }) => {
          securityContext.runAsUser = 0;
        }),
      ),
    ).toEqual(['StatefulSet realm-aurora/eldermoor spec.template.spec.securityContext.runAsUser: The pod runs as user 0, which is root.']);
  });

  it('refuses a writable image as a sentence with the value', () => {
    expect(
      sentences(
        container(({ securityContext }) => {
          securityContext.readOnlyRootFilesystem = false;
        }),
      ),
    ).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].securityContext.readOnlyRootFilesystem: Container 'game' can write to its image (readOnlyRootFilesystem is false).",
    ]);
  });

  it('looks at init containers', () => {
    const objects = pod((spec) => {
      spec.initContainers = [
        { ...spec.containers[0], name: 'fetch', securityContext: { ...spec.containers[0].securityContext, readOnlyRootFilesystem: false } },
      ];
    });
    expect(sentences(objects)).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.initContainers[fetch].securityContext.readOnlyRootFilesystem: Container 'fetch' can write to its image (readOnlyRootFilesystem is false).",
    ]);
  });

  it("looks at the pods of a Fleet's game servers", () => {
    const objects = changed(
      'Fleet instances/dungeon',
      ({ spec }) => void delete spec.template.spec.template.spec.securityContext.runAsNonRoot,
    );
    expect(sentences(objects)).toEqual([
      "Fleet instances/dungeon spec.template.spec.template.spec.securityContext.runAsNonRoot: The pod's runAsNonRoot is not set, so an image may start as root.",
    ]);
  });

  it("looks at the pods of K8up's jobs", () => {
    const objects = changed(
      'PodConfig realm-aurora/backup',
      ({ spec }) => void delete spec.template.spec.containers[0].securityContext.capabilities,
    );
    expect(sentences(objects)).toEqual([
      "PodConfig realm-aurora/backup spec.template.spec.containers[backup].securityContext.capabilities.drop: Container 'backup' drops no capabilities instead of exactly ALL.",
    ]);
  });

  it.each(['hostNetwork', 'hostPID', 'hostIPC'])('refuses %s', (field) => {
    expect(
      violationsOf(
        podSecurity,
        pod((spec) => {
          spec[field] = true;
        }),
      ).map((each) => each.field),
    ).toEqual([`spec.template.spec.${field}`]);
  });

  it('refuses a folder of the node', () => {
    const objects = pod((spec) => {
      spec.volumes.push({ name: 'sockets', hostPath: { path: '/run' } });
      spec.containers[0].volumeMounts.push({ name: 'sockets', mountPath: '/run' });
    });
    expect(sentences(objects)).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.volumes[sockets].hostPath: Volume 'sockets' is the folder '/run' of the node.",
    ]);
  });

  it('refuses a host port that the description does not name', () => {
    expect(
      sentences(
        container(({ ports }) => {
          ports[0].hostPort = 40001;
        }),
      ),
    ).toEqual([
      'StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].ports[game].hostPort: It takes port 40001 of the node that it runs on, past every Service and load balancer.',
    ]);
  });

  it('takes the host port that the description gives a world', () => {
    const realms: Any = [
      { name: 'aurora', exposure: { type: 'host-port' }, continents: [{ name: 'eldermoor', node: 'node-1', port: 40001 }] },
    ];
    const cluster = resolveCluster({ ...description, realms });
    expect(
      sentences(
        container(({ ports }) => {
          ports[0].hostPort = 40001;
        }),
        { cluster },
      ),
    ).toEqual([]);
  });

  it('refuses the ServiceAccount that everybody shares', () => {
    expect(sentences(pod((spec) => void delete spec.serviceAccountName))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.serviceAccountName: It runs as the ServiceAccount 'default', which every pod of the namespace that names none shares.",
    ]);
  });

  it('asks for a word on the token where the ServiceAccount has no rights', () => {
    expect(sentences(pod((spec) => void delete spec.automountServiceAccountToken))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.automountServiceAccountToken: It does not say that it needs no token of the API, although nothing gives its ServiceAccount 'eldermoor' any right.",
    ]);
  });

  it('takes silence on the token where the ServiceAccount has rights', () => {
    const objects = changed(
      'Deployment connect-broker/connect-broker',
      ({ spec }) => void delete spec.template.spec.automountServiceAccountToken,
    );
    expect(sentences(objects)).toEqual([]);
  });

  it('refuses a mount without its volume', () => {
    expect(sentences(container(({ volumeMounts }) => void volumeMounts.push({ name: 'tmp', mountPath: '/tmp' })))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].volumeMounts[tmp]: Container 'game' mounts 'tmp' at '/tmp', but there is no volume and no claim template of that name.",
    ]);
  });

  it('refuses a volume that no container mounts', () => {
    expect(sentences(pod(({ volumes }) => void volumes.push({ name: 'tmp', emptyDir: {} })))).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.volumes[tmp]: No container mounts the volume 'tmp'.",
    ]);
  });

  it('refuses a claim that no container mounts', () => {
    expect(
      sentences(
        container((spec) => {
          spec.volumeMounts = spec.volumeMounts.slice(1);
        }),
      ),
    ).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.volumeClaimTemplates[world]: No container mounts the claim 'world': what it is for is written elsewhere, and lost.",
    ]);
  });

  it('lets a workload depart with an exception for exactly this field', () => {
    const field = 'spec.template.spec.containers[game].securityContext.readOnlyRootFilesystem';
    const objects = container(({ securityContext }) => {
      securityContext.readOnlyRootFilesystem = false;
    });
    expect(sentences(excepting(objects, WORLD, { rule: 'pod-security', field, reason: 'a test' }))).toEqual([]);
  });

  it('honours no exception for another field', () => {
    const objects = container(({ securityContext }) => {
      securityContext.readOnlyRootFilesystem = false;
    });
    expect(sentences(excepting(objects, WORLD, { rule: 'pod-security', field: 'spec', reason: 'a test' }))).toHaveLength(1);
  });
});
