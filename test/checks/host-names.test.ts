/**
 * Cases of the check `host-names`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { hostNames } from '../../lib/checks/host-names';
import type { PlainObject } from '../../lib/emit/manifest';
import { changed, cluster, excepting, goodObjects, sentencesOf } from './fixture';

const check = hostNames;
const grafana = 'IngressRoute monitoring/grafana';
const certificate = 'Certificate monitoring/grafana-tls';
const target = 'metadata.annotations[external-dns.alpha.kubernetes.io/target]';

describe('host names', () => {
  it('are right in a whole cluster', () => {
    expect(sentencesOf(check)).toEqual([]);
  });

  it.each<[string, string, (manifest: PlainObject) => void, string[]]>([
    [
      'a route outside of the domain, whose certificate does not cover it either',
      grafana,
      ({ spec }) => {
        spec.routes[0].match = 'Host(`grafana.example.com`)';
      },
      [
        `${grafana} spec.routes[0].match: The host 'grafana.example.com' is outside of the domain 'mmo.example.org'.`,
        `${grafana} spec.tls.secretName: Certificate 'grafana-tls' (grafana.mmo.example.org) does not cover the host 'grafana.example.com'.`,
      ],
    ],
    [
      'a domain that only ends alike',
      certificate,
      ({ spec }) => {
        spec.dnsNames.push('notmmo.example.org');
      },
      [`${certificate} spec.dnsNames[1]: The host 'notmmo.example.org' is outside of the domain 'mmo.example.org'.`],
    ],
    [
      'a route whose host is not written down',
      grafana,
      ({ spec }) => {
        spec.routes[0].match = 'PathPrefix(`/`)';
      },
      [
        `${grafana} spec.routes[0].match: The rule 'PathPrefix(\`/\`)' does not say which hosts it is for, so no certificate and no DNS record can be checked for it.`,
      ],
    ],
    [
      'a certificate that does not cover the host',
      certificate,
      ({ spec }) => {
        spec.dnsNames = ['mmo.example.org'];
      },
      [`${grafana} spec.tls.secretName: Certificate 'grafana-tls' (mmo.example.org) does not cover the host 'grafana.mmo.example.org'.`],
    ],
    [
      'a wildcard of another level',
      certificate,
      ({ spec }) => {
        spec.dnsNames = ['*.admin.mmo.example.org'];
      },
      [
        `${grafana} spec.tls.secretName: Certificate 'grafana-tls' (*.admin.mmo.example.org) does not cover the host 'grafana.mmo.example.org'.`,
      ],
    ],
    [
      'a route without a certificate',
      grafana,
      ({ spec }) => {
        delete spec.tls.secretName;
      },
      [`${grafana} spec.tls.secretName: The route names no certificate; Traefik would answer with one that it makes itself.`],
    ],
    [
      'a Secret that no Certificate makes',
      grafana,
      ({ spec }) => {
        spec.tls.secretName = 'by-hand';
      },
      [`${grafana} spec.tls.secretName: No Certificate in the route's namespace makes the Secret 'by-hand'.`],
    ],
    [
      "Traefik's own certificates",
      grafana,
      ({ spec }) => {
        spec.tls.certResolver = 'default';
      },
      [`${grafana} spec.tls.certResolver: Traefik's own resolver 'default' is not set up; certificates come from cert-manager.`],
    ],
    [
      'TLS where plain HTTP is spoken',
      'IngressRoute connect-broker/connect-broker-redirect',
      ({ spec }) => {
        spec.tls = {};
      },
      [
        "IngressRoute connect-broker/connect-broker-redirect spec.tls: The entry point 'web' speaks plain HTTP, but the route has 'tls', so it never matches.",
      ],
    ],
    [
      'a route without a target for the DNS',
      grafana,
      ({ metadata }) => {
        delete metadata.annotations;
      },
      [
        `${grafana} ${target}: The route has no target, so ExternalDNS makes no record for its hosts; the entry point 'admin' has the address 192.168.1.242.`,
      ],
    ],
    [
      "an admin page at the players' address",
      grafana,
      ({ metadata }) => {
        metadata.annotations = { 'external-dns.alpha.kubernetes.io/target': '192.168.1.240' };
      },
      [`${grafana} ${target}: The target '192.168.1.240' is not the address of the entry point 'admin', which is 192.168.1.242.`],
    ],
    [
      'a Service that does not exist in a certificate of the inside',
      'Certificate cert-manager/cluster-ca',
      ({ spec }) => {
        spec.dnsNames = ['webhook.cert-manager.svc'];
      },
      [
        "Certificate cert-manager/cluster-ca spec.dnsNames[0]: 'webhook.cert-manager.svc' is the name of a Service 'webhook' in namespace 'cert-manager', which does not exist.",
      ],
    ],
  ])('refuse %s', (_, id, change, sentences) => {
    expect(sentencesOf(check, changed(id, change))).toEqual(sentences);
  });

  it('accept a wildcard that covers the host', () => {
    const objects = changed(certificate, ({ spec }) => {
      spec.dnsNames = ['*.mmo.example.org'];
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it.each([
    'connect-broker',
    'connect-broker.connect-broker',
    'connect-broker.connect-broker.svc',
    'connect-broker.connect-broker.svc.cluster.local',
  ])('accept the name %s of a Service, certified by the own authority', (name) => {
    const objects = changed('Certificate connect-broker/connect-broker-tls', ({ spec }) => {
      spec.dnsNames.push(name);
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('refuse to have a public authority certify a name of the inside', () => {
    const objects = changed('Certificate connect-broker/connect-broker-tls', ({ spec }) => {
      spec.dnsNames.push('connect-broker.connect-broker.svc');
    });
    objects.forEach(({ manifest }) => {
      if (manifest.kind === 'ClusterIssuer') manifest.spec = { acme: {} };
    });
    expect(sentencesOf(check, objects)).toEqual([
      "Certificate connect-broker/connect-broker-tls spec.dnsNames[1]: 'connect-broker.connect-broker.svc' is a name of the cluster's inside, which no public authority certifies.",
    ]);
  });

  it('ask for no target where no DNS of ours runs', () => {
    const objects = changed(grafana, ({ metadata }) => {
      delete metadata.annotations;
    });
    expect(sentencesOf(check, objects, { cluster: { ...cluster, hasDns: false } })).toEqual([]);
  });

  it('may be others where the object says why', () => {
    const objects = changed(certificate, ({ spec }) => {
      spec.dnsNames.push('old.example.com');
    });
    expect(
      sentencesOf(check, excepting(objects, certificate, { rule: check.id, field: 'spec.dnsNames[1]', reason: 'until the move' })),
    ).toEqual([]);
  });

  it('are left as they are', () => {
    const objects = goodObjects();
    sentencesOf(check, objects);
    expect(objects).toEqual(goodObjects());
  });
});
