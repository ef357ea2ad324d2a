/** What Agones' chart is given instead of the certificates that it would make at every render. */
import { agonesCertificates, agones as agonesChart } from '../../argocd/catalog/agones';
import { agones } from '../../charts/agones';
import { resolveCluster } from '../../lib/model/cluster';
import { validateObject } from '../../lib/schemas';
import { exampleHomelab as homelab } from '../examples';
import { built, homelabWith } from './game-harness';

const { objects, of, get } = built(agones, homelab);

test('the certificate of the webhooks', () => {
  expect(get('Certificate', 'agones-system/agones-cert')).toMatchSnapshot();
});

test('every object is valid against the schemas', () => {
  expect(objects.flatMap(validateObject)).toEqual([]);
});

test.each(agonesCertificates.map((each) => [each.name, each] as const))(
  'the chart finds the certificate %s under the name that its values expect',
  (_, wanted) => {
    expect(get('Certificate', `${wanted.namespace}/${wanted.name}`).spec).toMatchObject({
      secretName: wanted.secretName,
      dnsNames: wanted.dnsNames,
    });
  },
);

test("it is from the cluster's own authority, whose ca.crt the API server is given", () => {
  expect(get('Certificate', 'agones-system/agones-cert').spec.issuerRef).toEqual({ kind: 'ClusterIssuer', name: 'cluster-ca' });
});

test('the chart waits for it: its health counts', () => {
  expect(get('Certificate', 'agones-system/agones-cert').metadata.annotations).toBeUndefined();
  expect(agonesChart.needs(resolveCluster(homelab))).toContain('agones-certificates');
});

test('the certificates have an Application of their own', () => {
  expect(of('agones-certificates').map(({ kind }) => kind)).toEqual(['Certificate', 'PrometheusRule']);
});

test('a cluster without instances has neither chart nor certificates, and says why', () => {
  expect(agones.enabled?.(resolveCluster(homelabWith({ instances: [] })))).toBe(
    'the cluster has no instanced content (instances is empty)',
  );
});

test('the namespace says why it is not restricted', () => {
  expect(agones.namespaces?.(resolveCluster(homelab))).toEqual([
    { name: 'agones-system', podSecurity: 'baseline', because: expect.stringContaining('seccomp') },
  ]);
});
