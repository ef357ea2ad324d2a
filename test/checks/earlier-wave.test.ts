/**
 * Cases of the check `earlier-wave`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import type { BuiltApplication } from '../../lib/build';
import { crdName, earlierWave } from '../../lib/checks/earlier-wave';
import { applications, changed, charts, excepting, goodObjects, sentencesOf, violationsOf, withMore } from './fixture';

const check = earlierWave;
const broker = 'Deployment connect-broker/connect-broker';

/** The Applications with one of them changed, and the annotation that follows. */
function moved(name: string, wave: number): ReadonlyMap<string, BuiltApplication> {
  const application = applications.get(name);
  if (!application) throw new Error(`The fixture has no Application ${name}.`);
  return new Map([...applications, [name, { ...application, wave, needs: [] }]]);
}

function movedObjects(name: string, wave: number) {
  return changed(`Application argocd/${name}`, ({ metadata }) => {
    metadata.annotations = { 'argocd.argoproj.io/sync-wave': String(wave) };
  });
}

const wave = (name: string): number => applications.get(name)?.wave ?? -1;

describe('the order of waves', () => {
  it('is right in a whole cluster', () => {
    expect(sentencesOf(check)).toEqual([]);
  });

  it.each([
    ['cert-manager.io', 'Certificate', 'certificates.cert-manager.io'],
    ['networking.example.org', 'NetworkPolicy', 'networkpolicies.networking.example.org'],
    ['monitoring.coreos.com', 'Prometheus', 'prometheuses.monitoring.coreos.com'],
    ['metallb.io', 'IPAddressPool', 'ipaddresspools.metallb.io'],
    ['traefik.io', 'TLSOption', 'tlsoptions.traefik.io'],
  ])('knows the CRD of %s/%s', (group, kind, name) => {
    expect(crdName(group, kind)).toBe(name);
  });

  it('asks for the CRD of every custom resource', () => {
    const objects = withMore('realms', {
      apiVersion: 'mmo.example.org/v1',
      kind: 'Castle',
      metadata: { name: 'x', namespace: 'realm-aurora' },
    });
    expect(sentencesOf(check, objects)).toEqual([
      "Castle realm-aurora/x apiVersion: No chart of this cluster is recorded to provide the CRD 'castles.mmo.example.org'.",
    ]);
  });

  it('takes a group below k8s.io that is not of Kubernetes itself for what it is', () => {
    const objects = withMore('realms', {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'x', namespace: 'realm-aurora' },
    });
    expect(sentencesOf(check, objects)).toEqual([
      "Gateway realm-aurora/x apiVersion: No chart of this cluster is recorded to provide the CRD 'gateways.gateway.networking.k8s.io'.",
    ]);
  });

  it('takes a CRD of ours as well as one of a chart', () => {
    const objects = withMore('realms', {
      apiVersion: 'mmo.example.org/v1',
      kind: 'Castle',
      metadata: { name: 'x', namespace: 'realm-aurora' },
    });
    objects.push({
      application: 'issuers',
      exceptions: [],
      manifest: { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'castles.mmo.example.org' } },
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('puts a CRD before the objects of its kind', () => {
    const early = wave('sealed-secrets');
    expect(sentencesOf(check, movedObjects('sealed-credentials', early), { applications: moved('sealed-credentials', early) })).toEqual([
      `SealedSecret monitoring/grafana-admin apiVersion: Application 'sealed-credentials' is in wave ${early}, but its CRD 'sealedsecrets.bitnami.com' comes with Application 'sealed-secrets' in wave ${early}.`,
    ]);
  });

  it('puts a webhook before the objects that it judges, also where another chart brings the CRD', () => {
    const split = charts.map((chart) => ({
      ...chart,
      provides: (...args: Parameters<typeof chart.provides>) => {
        const provides = chart.provides(...args);
        if (chart.name === 'prometheus-operator-crds')
          return { ...provides, crds: [...provides.crds, 'ipaddresspools.metallb.io', 'l2advertisements.metallb.io'] };
        return chart.name === 'metallb' ? { ...provides, crds: [] } : provides;
      },
    }));
    const late = new Map([...applications, ['metallb', { ...(applications.get('metallb') as BuiltApplication), wave: 90 }]]);
    const sentences = sentencesOf(check, movedObjects('metallb', 90), { charts: split, applications: late });
    expect(sentences.filter((sentence) => sentence.startsWith('L2Advertisement'))).toEqual([
      "L2Advertisement metallb-system/lan apiVersion: Application 'metallb-config' is in wave 2, but the webhook that judges it comes with Application 'metallb' in wave 90.",
    ]);
  });

  it('keeps every Namespace in the first Application', () => {
    const objects = withMore('realms', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'arena' } });
    expect(sentencesOf(check, objects)).toEqual([
      "Namespace arena metadata.name: The Namespace is in Application 'realms' and not in 'namespaces', before which nothing is synced.",
    ]);
  });

  it('keeps every Application after the namespaces', () => {
    expect(sentencesOf(check, movedObjects('prometheus-operator-crds', 0), { applications: moved('prometheus-operator-crds', 0) })).toEqual(
      [
        "Application argocd/prometheus-operator-crds metadata.annotations[argocd.argoproj.io/sync-wave]: Application 'prometheus-operator-crds' is in wave 0, not after 'namespaces' in wave 0.",
      ],
    );
  });

  it("puts a Certificate's issuer before it", () => {
    const late = new Map([
      ...applications,
      ['issuers', { ...(applications.get('issuers') as BuiltApplication), wave: wave('admin-pages') }],
    ]);
    const sentences = sentencesOf(check, movedObjects('issuers', wave('admin-pages')), { applications: late });
    expect(sentences.filter((sentence) => sentence.startsWith('Certificate monitoring'))).toEqual([
      `Certificate monitoring/grafana-tls spec.issuerRef.name: Application 'admin-pages' is in wave ${wave('admin-pages')}, but its issuer, ClusterIssuer cluster-ca, comes with Application 'issuers' in wave ${wave('admin-pages')}.`,
    ]);
  });

  it('refuses a pod that waits for a Secret of a later wave, which would never come', () => {
    const objects = goodObjects().map((object) =>
      object.manifest.kind === 'SealedSecret' && object.manifest.metadata.name === 'database-credentials'
        ? { ...object, application: 'realm-aurora' }
        : object,
    );
    const [here, there] = [wave('connect-broker'), wave('realm-aurora')];
    const sentence = (field: string): string =>
      `${broker} spec.template.spec.${field}: Secret 'database-credentials' comes with Application 'realm-aurora' in wave ${there}, after Application 'connect-broker' in wave ${here}, which is not healthy without it.`;
    expect(sentencesOf(check, objects)).toEqual([
      sentence('volumes[credentials].secret.secretName'),
      sentence('containers[broker].env[DATABASE_USER].valueFrom.secretKeyRef.name'),
    ]);
  });

  it('refuses a pod that waits for a ConfigMap of a later sync wave of its own Application', () => {
    const objects = changed('ConfigMap realm-aurora/eldermoor', ({ metadata }) => {
      metadata.annotations = { 'argocd.argoproj.io/sync-wave': '1' };
    });
    expect(sentencesOf(check, objects)).toEqual([
      "StatefulSet realm-aurora/eldermoor spec.template.spec.containers[game].envFrom[0].configMapRef.name: ConfigMap 'eldermoor' is made by ConfigMap realm-aurora/eldermoor, which is synced in sync wave 1, after this object in sync wave 0.",
    ]);
  });

  it('refuses a hook before the sync that needs what the sync makes', () => {
    const objects = withMore('connect-broker', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate', namespace: 'connect-broker', annotations: { 'argocd.argoproj.io/hook': 'PreSync' } },
      spec: { template: { spec: { serviceAccountName: 'connect-broker', containers: [] } } },
    });
    expect(sentencesOf(check, objects)).toEqual([
      "Job connect-broker/migrate spec.template.spec.serviceAccountName: ServiceAccount 'connect-broker' is made by ServiceAccount connect-broker/connect-broker, which is synced in sync wave 0, after this object as PreSync hook in sync wave 0.",
    ]);
  });

  it('accepts a route whose certificate comes at the end of the same sync', () => {
    const objects = changed('Certificate connect-broker/connect-broker-tls', ({ metadata }) => {
      metadata.annotations = { 'argocd.argoproj.io/sync-wave': '100' };
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it("puts the Secrets that a chart's values name before the chart", () => {
    const here = wave('sealed-credentials');
    expect(sentencesOf(check, movedObjects('kube-prometheus-stack', here), { applications: moved('kube-prometheus-stack', here) })).toEqual(
      [
        `Application argocd/kube-prometheus-stack metadata.annotations[argocd.argoproj.io/sync-wave]: The chart's pods need Secret monitoring/grafana-admin, which comes with Application 'sealed-credentials' in wave ${here}, but the chart is in wave ${here}.`,
      ],
    );
  });

  it('lets no Application wait for a later wave', () => {
    const late = new Map([...applications, ['realms', { ...(applications.get('realms') as BuiltApplication), wave: 90 }]]);
    expect(sentencesOf(check, movedObjects('realms', 90), { applications: late })).toContain(
      `Application argocd/realm-aurora metadata.annotations[argocd.argoproj.io/sync-wave]: Application 'realm-aurora' in wave ${wave('realm-aurora')} needs 'realms', which is in wave 90.`,
    );
  });

  it('lets no Application need one that the cluster does not have', () => {
    const needy = new Map([
      ...applications,
      ['issuers', { ...(applications.get('issuers') as BuiltApplication), needs: ['namespaces', 'cert-manager', 'vault'] }],
    ]);
    expect(sentencesOf(check, goodObjects(), { applications: needy })).toEqual([
      "Application argocd/issuers metadata.annotations[argocd.argoproj.io/sync-wave]: Application 'issuers' needs 'vault', which this cluster does not have.",
    ]);
  });

  it('is written into the Applications as it was computed', () => {
    expect(sentencesOf(check, movedObjects('instances', 3))).toEqual([
      `Application argocd/instances metadata.annotations[argocd.argoproj.io/sync-wave]: It says '3', but the computed wave of Application 'instances' is ${wave('instances')}.`,
    ]);
  });

  it('may be departed from where the object says why', () => {
    const id = 'Castle realm-aurora/x';
    const objects = withMore('realms', {
      apiVersion: 'mmo.example.org/v1',
      kind: 'Castle',
      metadata: { name: 'x', namespace: 'realm-aurora' },
    });
    expect(
      violationsOf(check, excepting(objects, id, { rule: check.id, field: 'apiVersion', reason: 'the bootstrap installs it' })),
    ).toEqual([]);
  });
});
