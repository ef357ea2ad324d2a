/** How the record of what a chart renders is compared with what it does render; every difference has its case. */
import { compareRecord, compareRenders, type RecordedChart } from '../../../../lib/charts-verify/record';
import { readManifests } from '../../../../lib/charts-verify/rendered';
import { also, PROVIDES, pods, RENDERED, recorded } from './fixture';

/** Differences as `rule place`. */
function differences(chart: RecordedChart, rendered = RENDERED): readonly string[] {
  return compareRecord(chart, readManifests(rendered)).map((each) => `${each.rule} ${each.place}`);
}

const job = (name: string, hook?: string, labels = '{ app: demo }'): string => `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
  namespace: demo
${hook ? `  annotations: { helm.sh/hook: ${hook} }\n` : ''}spec:
  template:
    metadata: { labels: ${labels} }
    spec:
      securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: ${name}
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
          resources: { requests: { cpu: 10m, memory: 32Mi }, limits: { memory: 64Mi } }
`;

test('a record that says what the chart renders has no differences', () => {
  expect(differences(recorded())).toEqual([]);
});

describe('names', () => {
  test.each([
    ['a CRD', { crds: [...PROVIDES.crds, 'other.demo.example'] }, 'not-rendered CustomResourceDefinition other.demo.example'],
    ['a Service', { services: [...PROVIDES.services, { name: 'other', ports: [] }] }, 'not-rendered Service demo/other'],
    [
      'pods',
      { pods: [...PROVIDES.pods, { name: 'other', kind: 'DaemonSet' as const, labels: { app: 'x' }, ports: [] }] },
      'not-rendered DaemonSet demo/other',
    ],
    ['a Secret', { secrets: ['demo/demo-secret', 'demo/other'] }, 'not-rendered Secret demo/other'],
    ['a ConfigMap', { configMaps: ['demo/other'] }, 'not-rendered ConfigMap demo/other'],
    ['a ServiceAccount', { serviceAccounts: ['demo/other'] }, 'not-rendered ServiceAccount demo/other'],
    ['an IngressClass', { ingressClasses: ['demo', 'other'] }, 'not-rendered IngressClass other'],
    [
      'a cluster-scoped kind',
      { clusterKinds: [...(PROVIDES.clusterKinds ?? []), '/Namespace'] },
      'not-rendered cluster-scoped kind /Namespace',
    ],
    ['another namespace', { namespaces: ['kube-system'] }, 'not-rendered namespace kube-system'],
  ])('%s that the record has and the chart does not render is found', (_, changes, expected) => {
    expect(differences(recorded(changes))).toEqual([expected]);
  });

  test.each([
    ['a CRD', { crds: [] }, 'not-recorded CustomResourceDefinition things.demo.example'],
    ['a Service', { services: [] }, 'not-recorded Service demo/demo'],
    ['a workload', { pods: [] }, 'not-recorded Deployment demo/demo'],
    ['a Secret', { secrets: [] }, 'not-recorded Secret demo/demo-secret'],
    ['an IngressClass', { ingressClasses: [] }, 'not-recorded IngressClass demo'],
    [
      'a cluster-scoped kind',
      { clusterKinds: ['networking.k8s.io/IngressClass'] },
      'not-recorded cluster-scoped kind apiextensions.k8s.io/CustomResourceDefinition',
    ],
  ])('%s that the chart renders and the record lacks is found', (_, changes, expected) => {
    expect(differences(recorded(changes))).toEqual([expected]);
  });

  test('ConfigMaps and ServiceAccounts that nobody refers to need no record', () => {
    expect(differences(recorded({ configMaps: [], serviceAccounts: [] }))).toEqual([]);
  });

  test('a kind that is recorded wrongly is found at both ends', () => {
    expect(differences(recorded(pods({ kind: 'StatefulSet' })))).toEqual([
      'not-rendered StatefulSet demo/demo',
      'not-recorded Deployment demo/demo',
    ]);
  });

  test('an object without a namespace is in that of the release', () => {
    expect(differences(recorded({ services: PROVIDES.services.map((each) => ({ ...each, namespace: 'elsewhere' })) }))).toEqual([
      'not-rendered Service elsewhere/demo',
      'not-recorded Service demo/demo',
    ]);
  });
});

describe('Services', () => {
  test.each([
    ['a wrong number', [{ name: 'http', port: 81 }]],
    ['a wrong name', [{ name: 'web', port: 80 }]],
    ['a wrong protocol', [{ name: 'http', port: 80, protocol: 'UDP' as const }]],
  ])('a port with %s is found', (_, ports) => {
    expect(differences(recorded({ services: [{ name: 'demo', ports }] }))).toEqual([
      'differs Service demo/demo',
      'not-recorded Service demo/demo',
    ]);
  });

  test('a port that the record lacks is found', () => {
    expect(differences(recorded({ services: [{ name: 'demo', ports: [] }] }))).toEqual(['not-recorded Service demo/demo']);
  });

  test('a wrong label is found', () => {
    expect(differences(recorded({ services: [{ name: 'demo', ports: [{ name: 'http', port: 80 }], labels: { app: 'other' } }] }))).toEqual([
      'differs Service demo/demo',
    ]);
  });
});

describe('pods', () => {
  test('a label that the pods do not carry is found', () => {
    expect(differences(recorded(pods({ labels: { app: 'demo', part: 'client' } })))).toEqual(['differs Deployment demo/demo']);
  });

  test('a port that no container has is found', () => {
    expect(differences(recorded(pods({ ports: [...(PROVIDES.pods[0]?.ports ?? []), { port: 1 }] })))).toEqual([
      'differs Deployment demo/demo',
    ]);
  });

  test('a port that the record lacks is found', () => {
    expect(differences(recorded(pods({ ports: [{ name: 'http', port: 8080 }] })))).toEqual(['not-recorded Deployment demo/demo']);
  });

  test('a wrong service account is found', () => {
    expect(differences(recorded(pods({ serviceAccount: 'other' })))).toEqual(['differs Deployment demo/demo']);
  });

  test('a missing service account means the default one', () => {
    expect(differences(recorded(pods({ serviceAccount: undefined })))).toEqual(['differs Deployment demo/demo']);
  });

  test('a wrong host network is found', () => {
    expect(differences(recorded(pods({ hostNetwork: true })))).toEqual(['differs Deployment demo/demo']);
  });

  test('labels that select the pods of another workload are found', () => {
    const chart = recorded({
      pods: [...PROVIDES.pods, { name: 'second', kind: 'Job', labels: { app: 'demo', part: 'second' }, ports: [] }],
    });
    expect(differences(chart, also(job('second', undefined, '{ app: demo, part: second }')))).toEqual([
      'ambiguous-labels Deployment demo/demo',
    ]);
  });

  test('pods without labels are found, because a policy would select every pod', () => {
    expect(differences(recorded(pods({ labels: {} })))).toEqual(['selects-everything Deployment demo/demo']);
  });

  const prometheus = `apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: { name: main, namespace: demo }
spec: { portName: http-web, serviceAccountName: watcher }
`;
  const made = {
    name: 'prometheus',
    kind: 'Operator' as const,
    labels: { 'app.kubernetes.io/name': 'prometheus', prometheus: 'main' },
    ports: [{ name: 'http-web', port: 9090 }],
    serviceAccount: 'watcher',
  };

  test('pods that an operator makes of a rendered custom resource are known', () => {
    expect(differences(recorded({ pods: [...PROVIDES.pods, made] }), also(prometheus))).toEqual([]);
  });

  test('a wrong label of pods that an operator makes is found', () => {
    expect(differences(recorded({ pods: [...PROVIDES.pods, { ...made, labels: { prometheus: 'other' } }] }), also(prometheus))).toEqual([
      'differs Operator demo/prometheus',
    ]);
  });

  test('a wrong port of pods that an operator makes is found', () => {
    expect(
      differences(recorded({ pods: [...PROVIDES.pods, { ...made, ports: [{ name: 'web', port: 9090 }] }] }), also(prometheus)),
    ).toEqual(['differs Operator demo/prometheus']);
  });

  test('pods of an operator whose custom resource is not rendered are found', () => {
    expect(differences(recorded({ pods: [...PROVIDES.pods, made] }))).toEqual(['not-rendered Operator demo/prometheus']);
  });
});

describe('other namespaces', () => {
  test('that the chart writes to and the record lacks are found', () => {
    const role = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: demo, namespace: kube-system }\n';
    expect(differences(recorded(), also(role))).toEqual(['not-recorded namespace kube-system']);
  });
});

describe('hardening', () => {
  const without = (text: string, by = ''): string => RENDERED.replace(text, by);

  test.each([
    ['non-root', without('runAsNonRoot: true, ')],
    ['read-only-root', without('readOnlyRootFilesystem: true, ')],
    ['no-escalation', without('allowPrivilegeEscalation: false, ')],
    ['no-escalation', without('allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: false, privileged: true')],
    ['no-capabilities', without(', capabilities: { drop: [ALL] }')],
    ['no-capabilities', without('drop: [ALL]', 'drop: [ALL], add: [NET_RAW]')],
    ['seccomp', without(', seccompProfile: { type: RuntimeDefault }')],
    ['seccomp', without('type: RuntimeDefault', 'type: Unconfined')],
    ['requests', without('cpu: 10m, ')],
    ['requests', without('requests: { cpu: 10m, memory: 32Mi }', 'requests: { cpu: 10m }')],
    ['memory-limit', without(', limits: { memory: 64Mi }')],
    ['no-host-namespaces', without('serviceAccountName: demo', 'serviceAccountName: demo\n      hostPID: true')],
    ['no-host-paths', without('serviceAccountName: demo', 'serviceAccountName: demo\n      volumes: [{ name: x, hostPath: { path: / } }]')],
    ['no-host-ports', without('containerPort: 8080', 'containerPort: 8080, hostPort: 80')],
  ])('a container that does not keep %s is found', (rule, rendered) => {
    expect(compareRecord(recorded(), readManifests(rendered)).map((each) => each.message)).toEqual([
      expect.stringContaining(`the rule '${rule}'`),
    ]);
  });

  const exceptions = [{ container: 'demo/demo', rules: ['seccomp' as const], because: 'The tests say so.' }];

  test('an exception allows its rule', () => {
    expect(differences(recorded({}, { exceptions }), without(', seccompProfile: { type: RuntimeDefault }'))).toEqual([]);
  });

  test('an exception allows no other rule', () => {
    expect(
      differences(recorded({}, { exceptions }), without('cpu: 10m, ').replace(', seccompProfile: { type: RuntimeDefault }', '')),
    ).toEqual(['hardening demo/demo']);
  });

  test('an exception that is no longer needed is found', () => {
    expect(differences(recorded({}, { exceptions }))).toEqual(['needless-exception demo/demo']);
  });

  test('a workload without replicas starts no container', () => {
    expect(differences(recorded(), without('spec:\n  template:', 'spec:\n  replicas: 0\n  template:').replace('cpu: 10m, ', ''))).toEqual(
      [],
    );
  });
});

describe('hooks', () => {
  test('a hook that nobody accepted is found', () => {
    expect(differences(recorded(), also(job('clean', 'post-install')))).toEqual(['not-recorded Job demo/clean', 'hook Job demo/clean']);
  });

  test('an accepted hook is no difference', () => {
    expect(differences(recorded({}, { acceptedHooks: { 'Job/clean': 'It cleans.' } }), also(job('clean', 'post-install')))).toEqual([]);
  });

  test('a hook may share the labels of what it serves', () => {
    const chart = recorded(
      { pods: [...PROVIDES.pods, { name: 'clean', kind: 'Job', labels: { app: 'demo' }, ports: [] }] },
      { acceptedHooks: { 'Job/clean': 'It cleans.' } },
    );
    expect(differences(chart, also(job('clean', 'post-install')))).toEqual([]);
  });

  test('an accepted hook that is no longer rendered is found', () => {
    expect(differences(recorded({}, { acceptedHooks: { 'Job/clean': 'It cleans.' } }))).toEqual(['not-rendered Job/clean']);
  });
});

describe('secrets', () => {
  // In two parts, so that no scanner of secrets takes this file for one that holds a key.
  const key = ['-----BEGIN RSA', 'PRIVATE KEY-----\nnone\n-----END RSA', 'PRIVATE KEY-----\n'].join(' ');
  const secret = (field: string, value: string): string => `apiVersion: v1
kind: Secret
metadata: { name: keys, namespace: demo }
${field}: { tls.key: ${JSON.stringify(value)} }
`;

  test.each([
    ['data', Buffer.from(key).toString('base64')],
    ['stringData', key],
  ])('a private key in %s is found, recorded or not', (field, value) => {
    expect(differences(recorded({ secrets: ['demo/demo-secret', 'demo/keys'] }), also(secret(field, value)))).toEqual([
      'private-key Secret demo/keys',
    ]);
  });

  test('a certificate alone is no private key', () => {
    const certificate = Buffer.from('-----BEGIN CERTIFICATE-----\nnone\n').toString('base64');
    expect(differences(recorded({ secrets: ['demo/demo-secret', 'demo/keys'] }), also(secret('data', certificate)))).toEqual([]);
  });
});

describe('two renders', () => {
  const compare = (second: string): readonly string[] =>
    compareRenders(RENDERED, second, readManifests, 'demo').map((each) => `${each.rule} ${each.place}`);

  test('of the same text do not differ', () => {
    expect(compare(RENDERED)).toEqual([]);
  });

  test('with other data name the object that differs', () => {
    expect(compare(RENDERED.replace('aGVsbG8=', 'aGVsbHc='))).toEqual(['random Secret demo/demo-secret']);
  });

  test('with an object more name it', () => {
    expect(compare(also(job('extra')))).toEqual(['random Job demo/extra']);
  });

  test('that differ in nothing but text are found as well', () => {
    expect(compare(`${RENDERED}# made at noon\n`)).toEqual(['random the text']);
  });
});

describe('what is no manifest', () => {
  test('is refused with the template that rendered it', () => {
    expect(() => readManifests('---\n# Source: demo/templates/x.yaml\na: [1\n')).toThrow(
      /^demo\/templates\/x\.yaml rendered something that is no YAML: /,
    );
  });

  test('is refused when it is YAML, but no Kubernetes object', () => {
    expect(() => readManifests('---\n# Source: demo/templates/x.yaml\na: 1\n')).toThrow(
      'demo/templates/x.yaml rendered something that is no Kubernetes object: apiVersion, kind and metadata.name are needed.',
    );
  });
});
