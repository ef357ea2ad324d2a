/**
 * Cases of the check `resolved-selectors`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { resolvedSelectors } from '../../lib/checks/resolved-selectors';
import type { PlainObject } from '../../lib/emit/manifest';
import { changed, excepting, flows, goodObjects, sentencesOf, violationsOf, withMore, without } from './fixture';

const check = resolvedSelectors;
const broker = 'Deployment connect-broker/connect-broker';

describe('selectors that select what they are meant for', () => {
  it('are accepted in a whole cluster', () => {
    expect(sentencesOf(check)).toEqual([]);
  });

  it('may mean the pods that CloudNativePG makes', () => {
    const objects = withMore(
      'database',
      policy('database', { 'cnpg.io/cluster': 'postgres', 'cnpg.io/podRole': 'instance', role: 'primary' }),
    );
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('may mean the Jobs of K8up, by the label of the PodConfig', () => {
    const objects = withMore('realms', policy('realm-aurora', { k8upjob: 'true', team: 'ops' }));
    objects.forEach(({ manifest }) => {
      if (manifest.kind === 'PodConfig') manifest.metadata.labels = { team: 'ops' };
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('may mean the solvers of a Certificate whose issuer answers HTTP-01 challenges', () => {
    const objects = withMore('connect-broker', policy('connect-broker', { 'acme.cert-manager.io/http01-solver': 'true' }));
    objects.forEach(({ manifest }) => {
      if (manifest.kind === 'ClusterIssuer' && manifest.metadata.name === 'cluster-ca')
        manifest.spec = { acme: { solvers: [{ http01: { ingress: {} } }] } };
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('may not mean solvers when a more specific one of the issuer answers by DNS-01', () => {
    const objects = withMore('connect-broker', policy('connect-broker', { 'acme.cert-manager.io/http01-solver': 'true' }));
    objects.forEach(({ manifest }) => {
      if (manifest.kind === 'ClusterIssuer' && manifest.metadata.name === 'cluster-ca') {
        manifest.spec = { acme: { solvers: [{ http01: { ingress: {} } }, { selector: { dnsZones: ['example.org'] }, dns01: {} }] } };
      }
    });
    expect(sentencesOf(check, objects)).toEqual([
      "NetworkPolicy connect-broker/x spec.podSelector: It selects acme.cert-manager.io/http01-solver=true, and there are no such pods in namespace 'connect-broker'.",
    ]);
  });

  it('may mean the labels that Agones gives to game servers', () => {
    const objects = withMore('instances', policy('instances', { 'agones.dev/role': 'gameserver' }));
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('may mean a group of workloads that has no member in this cluster', () => {
    const group = { namespaceLabels: { 'mmo/role': 'arena' }, podLabels: { arena: 'true' }, members: [] };
    const to = { namespace: 'connect-broker', name: 'connect-broker', labels: { app: 'connect-broker' } };
    const objects = changed('NetworkPolicy connect-broker/connect-broker', ({ spec }) => {
      spec.ingress[0].from.push({
        namespaceSelector: { matchLabels: group.namespaceLabels },
        podSelector: { matchLabels: group.podLabels },
      });
    });
    expect(sentencesOf(check, objects, { flows: [...flows, { from: group, to, ports: [{ port: 1 }], because: '' }] })).toEqual([]);
  });

  it('may match a Job as well, when the Service names a port that the Job does not have', () => {
    expect(sentencesOf(check, withMore('connect-broker', migration()))).toEqual([
      // The Deployment's own selector is the one that is too wide.
      `${broker} spec.selector: It selects app=connect-broker, which are labels of the pods of Job connect-broker/migrate as well.`,
    ]);
  });
});

function policy(namespace: string, matchLabels: Record<string, string>): PlainObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'x', namespace },
    spec: { podSelector: { matchLabels }, policyTypes: ['Ingress'] },
  };
}

/** Labelled as the broker's pods are, and without ports. */
function migration(): PlainObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', namespace: 'connect-broker' },
    spec: { template: { metadata: { labels: { app: 'connect-broker' } }, spec: { containers: [{ name: 'migrate' }] } } },
  };
}

describe('selectors that do not', () => {
  it.each<[string, string, (spec: PlainObject['spec']) => void, string[]]>([
    [
      'a workload whose selector is not among its labels',
      broker,
      (spec) => {
        spec.selector.matchLabels = { app: 'broker' };
      },
      [`${broker} spec.selector: It selects app=broker, which is not what its own pods are labelled with (app=connect-broker).`],
    ],
    [
      'a Service',
      'Service connect-broker/connect-broker',
      (spec) => {
        spec.selector = { app: 'broker' };
      },
      [
        "Service connect-broker/connect-broker spec.selector: It selects app=broker, and there are no such pods in namespace 'connect-broker'.",
      ],
    ],
    [
      'a budget',
      'PodDisruptionBudget connect-broker/connect-broker',
      (spec) => {
        spec.selector.matchLabels = { app: 'broker' };
      },
      [
        "PodDisruptionBudget connect-broker/connect-broker spec.selector: It selects app=broker, and there are no such pods in namespace 'connect-broker'.",
      ],
    ],
    [
      'a ServiceMonitor, by labels of pods that the Service does not have',
      'ServiceMonitor connect-broker/connect-broker',
      (spec) => {
        spec.selector.matchLabels = { 'app.kubernetes.io/name': 'connect-broker' };
      },
      [
        "ServiceMonitor connect-broker/connect-broker spec.selector: It selects app.kubernetes.io/name=connect-broker, and there are no such Services in namespace 'connect-broker'.",
      ],
    ],
    [
      'a PodMonitor that looks in another namespace',
      'PodMonitor realm-aurora/game-server',
      (spec) => {
        spec.namespaceSelector = { matchNames: ['monitoring'] };
      },
      [
        "PodMonitor realm-aurora/game-server spec.selector: It selects mmo/game-server=true, mmo/realm=aurora, and there are no such pods in namespace 'monitoring'.",
      ],
    ],
    [
      "a policy's own pods",
      'NetworkPolicy connect-broker/connect-broker',
      (spec) => {
        spec.podSelector.matchLabels = { app: 'broker' };
      },
      [
        "NetworkPolicy connect-broker/connect-broker spec.podSelector: It selects app=broker, and there are no such pods in namespace 'connect-broker'.",
      ],
    ],
    [
      "a policy's peer",
      'NetworkPolicy connect-broker/connect-broker',
      (spec) => {
        spec.ingress[0].from[0].podSelector.matchLabels = { app: 'traffic' };
      },
      [
        'NetworkPolicy connect-broker/connect-broker spec.ingress[0].from[0]: It selects app=traffic, and there are no such pods in namespaces with kubernetes.io/metadata.name=traefik.',
      ],
    ],
    [
      "the namespace of a policy's peer",
      'NetworkPolicy connect-broker/connect-broker',
      (spec) => {
        spec.ingress[0].from[0] = { namespaceSelector: { matchLabels: { 'mmo/role': 'proxy' } } };
      },
      [
        'NetworkPolicy connect-broker/connect-broker spec.ingress[0].from[0]: It selects mmo/role=proxy, and there are no such namespaces of this cluster.',
      ],
    ],
    [
      'spreading that counts the pods of somebody else',
      broker,
      (spec) => {
        spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels = { app: 'broker' };
      },
      [
        `${broker} spec.template.spec.topologySpreadConstraints[0].labelSelector: It counts pods with app=broker, which is not what its own pods are labelled with.`,
      ],
    ],
    [
      'affinity to pods that are nowhere',
      broker,
      (spec) => {
        spec.template.spec.affinity = {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } },
            ],
          },
        };
      },
      [
        `${broker} spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: It selects app=x, and there are no such pods in namespace 'connect-broker'.`,
      ],
    ],
    [
      'an advertisement of pools by label',
      'L2Advertisement metallb-system/lan',
      (spec) => {
        spec.ipAddressPoolSelectors = [{ matchExpressions: [{ key: 'use', operator: 'In', values: ['games'] }] }];
      },
      [
        'L2Advertisement metallb-system/lan spec.ipAddressPoolSelectors[0]: It selects use In (games), and there are no such address pools.',
      ],
    ],
  ])('are refused: %s', (_, id, change, sentences) => {
    expect(
      sentencesOf(
        check,
        changed(id, ({ spec }) => change(spec)),
      ),
    ).toEqual(sentences);
  });

  it('are refused: a Service that sends to two workloads', () => {
    const objects = withMore('connect-broker', migration());
    objects.forEach(({ manifest }) => {
      if (manifest.kind === 'Service' && manifest.metadata.name === 'connect-broker-internal') manifest.spec.ports[0].targetPort = 8081;
    });
    expect(sentencesOf(check, objects)[1]).toBe(
      'Service connect-broker/connect-broker-internal spec.selector: It selects app=connect-broker and so sends to pods of Deployment connect-broker/connect-broker, Job connect-broker/migrate.',
    );
  });

  it('are refused: a second budget for the same pods', () => {
    const objects = withMore('connect-broker', {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'again', namespace: 'connect-broker' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'connect-broker' } } },
    });
    expect(sentencesOf(check, objects)).toEqual([
      'PodDisruptionBudget connect-broker/again spec.selector: The pods of Deployment connect-broker/connect-broker are selected by the budget connect-broker already, and the API evicts no pod that has two.',
    ]);
  });

  it('are refused for everything that selected a workload that is gone', () => {
    expect(violationsOf(check, without('StatefulSet realm-aurora/eldermoor')).map(({ object }) => object)).toEqual([
      'Service realm-aurora/eldermoor',
      'Service realm-aurora/eldermoor-public',
      'PodDisruptionBudget realm-aurora/eldermoor',
      'PodMonitor realm-aurora/game-server',
      'NetworkPolicy realm-aurora/game-server',
    ]);
  });

  it('are accepted where the object says why', () => {
    const id = 'Service connect-broker/connect-broker';
    const objects = changed(id, ({ spec }) => {
      spec.selector = { app: 'by-hand' };
    });
    expect(sentencesOf(check, excepting(objects, id, { rule: check.id, field: 'spec.selector', reason: 'made by hand' }))).toEqual([]);
  });

  it('do not count labels that a Service of a cluster without the chart would have', () => {
    expect(sentencesOf(check, goodObjects(), { charts: [] })).not.toEqual([]);
  });
});
