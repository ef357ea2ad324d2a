/**
 * Cases of the check `client-addresses`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { clientAddresses } from '../../lib/checks/client-addresses';
import { changed, sentencesOf } from './fixture';

const TRAEFIK = 'Application argocd/traefik';
// biome-ignore lint/suspicious/noExplicitAny: tests break objects in ways that types forbid.
const withService = (change: (service: any) => object | boolean) =>
  changed(TRAEFIK, ({ spec }) => void change(spec.source.helm.valuesObject.service));

describe('client-addresses', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentencesOf(clientAddresses)).toEqual([]);
  });

  it("refuses a Service that replaces players' addresses by a node's", () => {
    expect(
      sentencesOf(
        clientAddresses,
        withService((service) => delete service.spec.externalTrafficPolicy),
      ),
    ).toEqual([
      "Application argocd/traefik spec.source.helm.valuesObject.service.spec.externalTrafficPolicy: The Service of type LoadBalancer has the traffic policy Cluster, which replaces players' addresses by a node's.",
    ]);
  });

  it('takes the type that the chart has by default for what it is', () => {
    expect(
      sentencesOf(
        clientAddresses,
        withService((service) => Object.assign(service, { spec: {} })),
      ),
    ).toHaveLength(1);
  });

  it('refuses it at the admin address as well', () => {
    const objects = withService((service) => Object.assign(service.additionalServices.admin.spec, { externalTrafficPolicy: 'Cluster' }));
    expect(sentencesOf(clientAddresses, objects).map((sentence) => sentence.split(': ')[0])).toEqual([
      'Application argocd/traefik spec.source.helm.valuesObject.service.additionalServices.admin.spec.externalTrafficPolicy',
    ]);
  });

  it('takes ports of the nodes, which are no Service', () => {
    expect(
      sentencesOf(
        clientAddresses,
        withService((service) => Object.assign(service, { spec: { type: 'ClusterIP' } })),
      ),
    ).toEqual([]);
  });
});
