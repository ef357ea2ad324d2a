/**
 * Cases of the check `namespace-security`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { namespaceSecurity } from '../../lib/checks/namespace-security';
import { changed, find, sentencesOf } from './fixture';

// biome-ignore lint/suspicious/noExplicitAny: tests break objects in ways that types forbid.
type Any = any;
const ENFORCE = 'pod-security.kubernetes.io/enforce';
const sentences = (objects?: Parameters<typeof sentencesOf>[1]) => sentencesOf(namespaceSecurity, objects);
const namespace = (level: string | undefined) =>
  changed('Namespace instances', ({ metadata }) => {
    if (level === undefined) delete metadata.labels?.[ENFORCE];
    else metadata.labels = { ...metadata.labels, [ENFORCE]: level };
  });
/** The world, in a namespace of another level. */
const world = (change: (spec: Any) => void, level?: string) => {
  const objects = changed('StatefulSet realm-aurora/eldermoor', ({ spec }) => change(spec.template.spec));
  const { metadata } = find(objects, 'Namespace realm-aurora').manifest;
  if (level) {
    metadata.labels = { ...metadata.labels, [ENFORCE]: level };
    metadata.annotations = { ...metadata.annotations, 'mmo/pod-security-reason': 'a test' };
  }
  return objects;
};
const container = (change: (spec: Any) => void, level?: string) => world(({ containers }) => change(containers[0]), level);

describe('namespace-security', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it('asks every namespace for a level', () => {
    expect(sentences(namespace(undefined))).toEqual([
      'Namespace instances metadata.labels["pod-security.kubernetes.io/enforce"]: It enforces no Pod Security level.',
    ]);
  });

  it('refuses a level that does not exist', () => {
    expect(sentences(namespace('strict'))).toEqual([
      `Namespace instances metadata.labels["pod-security.kubernetes.io/enforce"]: 'strict' is no Pod Security level.`,
    ]);
  });

  it('asks for the reason of a level that is not restricted', () => {
    const objects = changed('Namespace metallb-system', ({ metadata }) => void delete metadata.annotations?.['mmo/pod-security-reason']);
    expect(sentences(objects)).toEqual([
      `Namespace metallb-system metadata.annotations["mmo/pod-security-reason"]: It enforces only 'privileged' and does not say why.`,
    ]);
  });

  it("refuses a Fleet in a restricted namespace, because of Agones' host ports", () => {
    expect(sentences(namespace('restricted'))).toEqual([
      "Fleet instances/dungeon spec.template.spec.ports[game].portPolicy: Namespace 'instances' enforces 'restricted', but Agones gives port 'game' a port of the node (portPolicy Dynamic): the API server would refuse every pod of it.",
    ]);
  });

  it('takes a Fleet without host ports in a restricted namespace', () => {
    const objects = namespace('restricted');
    find(objects, 'Fleet instances/dungeon').manifest.spec.template.spec.ports[0].portPolicy = 'None';
    expect(sentences(objects)).toEqual([]);
  });

  it.each<[string, (spec: Any) => void]>([
    [
      'hostNetwork',
      (spec) => {
        spec.hostNetwork = true;
      },
    ],
    ['volumes[host].hostPath', (spec) => void spec.volumes.push({ name: 'host', hostPath: { path: '/' } })],
    [
      'securityContext.sysctls[kernel.msgmax]',
      (spec) => {
        spec.securityContext.sysctls = [{ name: 'kernel.msgmax', value: '1' }];
      },
    ],
    [
      'securityContext.seccompProfile.type',
      (spec) => {
        spec.securityContext.seccompProfile = { type: 'Unconfined' };
      },
    ],
    [
      'securityContext.seLinuxOptions.type',
      (spec) => {
        spec.securityContext.seLinuxOptions = { type: 'spc_t' };
      },
    ],
    [
      'containers[game].securityContext.privileged',
      ({ containers }) => {
        containers[0].securityContext.privileged = true;
      },
    ],
    [
      'containers[game].securityContext.capabilities.add',
      ({ containers }) => {
        containers[0].securityContext.capabilities.add = ['NET_ADMIN'];
      },
    ],
    [
      'containers[game].ports[game].hostPort',
      ({ containers }) => {
        containers[0].ports[0].hostPort = 40000;
      },
    ],
    [
      'containers[game].securityContext.procMount',
      ({ containers }) => {
        containers[0].securityContext.procMount = 'Unmasked';
      },
    ],
  ])('refuses %s in a baseline namespace', (field, change) => {
    expect(sentences(world(change, 'baseline')).map((sentence) => sentence.split(': ')[0])).toEqual([
      `StatefulSet realm-aurora/eldermoor spec.template.spec.${field}`,
    ]);
  });

  it.each<[string, (spec: Any) => void]>([
    ['containers[game].securityContext.runAsNonRoot', ({ securityContext }) => void delete securityContext.runAsNonRoot],
    [
      'securityContext.runAsUser',
      ({ securityContext }) => {
        securityContext.runAsUser = 0;
      },
    ],
    ['containers[game].securityContext.seccompProfile', ({ securityContext }) => void delete securityContext.seccompProfile],
    [
      'containers[game].securityContext.allowPrivilegeEscalation',
      ({ containers }) => void delete containers[0].securityContext.allowPrivilegeEscalation,
    ],
    [
      'containers[game].securityContext.capabilities.drop',
      ({ containers }) => {
        containers[0].securityContext.capabilities = { drop: ['NET_RAW'] };
      },
    ],
    [
      'containers[game].securityContext.capabilities.add',
      ({ containers }) => {
        containers[0].securityContext.capabilities.add = ['CHOWN'];
      },
    ],
    ['volumes[share].nfs', (spec) => void spec.volumes.push({ name: 'share', nfs: { server: 'nas', path: '/' } })],
  ])('refuses %s in a restricted namespace', (field, change) => {
    expect(sentences(world(change)).map((sentence) => sentence.split(': ')[0])).toEqual([
      `StatefulSet realm-aurora/eldermoor spec.template.spec.${field}`,
    ]);
  });

  it('says which level refuses what', () => {
    expect(
      sentences(
        container(({ securityContext }) => {
          securityContext.privileged = true;
        }),
      ),
    ).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].securityContext.privileged: Namespace 'realm-aurora' enforces 'restricted', but container 'game' is privileged: the API server would refuse every pod of it.",
    ]);
  });

  it('takes in a baseline namespace what only restricted refuses', () => {
    expect(
      sentences(
        container(({ securityContext }) => {
          securityContext.capabilities = { add: ['CHOWN'] };
        }, 'baseline'),
      ),
    ).toEqual([]);
  });

  it('takes NET_BIND_SERVICE in a restricted namespace', () => {
    expect(
      sentences(
        container(({ securityContext }) => {
          securityContext.capabilities.add = ['NET_BIND_SERVICE'];
        }),
      ),
    ).toEqual([]);
  });

  it('takes anything in a privileged namespace', () => {
    expect(
      sentences(
        world((spec) => {
          spec.hostNetwork = true;
        }, 'privileged'),
      ),
    ).toEqual([]);
  });
});
