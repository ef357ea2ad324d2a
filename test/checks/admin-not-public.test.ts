/**
 * Cases of the check `admin-not-public`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { adminNotPublic } from '../../lib/checks/admin-not-public';
import type { PlainObject } from '../../lib/emit/manifest';
import { changed, excepting, sentencesOf, withMore } from './fixture';

const check = adminNotPublic;
const grafana = 'IngressRoute monitoring/grafana';
const broker = 'IngressRoute connect-broker/connect-broker';
const world = 'Service realm-aurora/eldermoor-public';

describe('what players may reach', () => {
  it('is right in a whole cluster', () => {
    expect(sentencesOf(check)).toEqual([]);
  });

  it.each<[string, string, (spec: PlainObject['spec']) => void, string]>([
    [
      'an admin page on the public entry point',
      grafana,
      (spec) => {
        spec.entryPoints = ['websecure'];
      },
      `${grafana} spec.routes[0].match: The host 'grafana.mmo.example.org' is an admin page, but is served on the public entry point 'websecure'; only 'mmo.example.org' may be.`,
    ],
    [
      'an admin page on both',
      grafana,
      (spec) => {
        spec.entryPoints = ['admin', 'web'];
      },
      `${grafana} spec.routes[0].match: The host 'grafana.mmo.example.org' is an admin page, but is served on the public entry point 'web'; only 'mmo.example.org' may be.`,
    ],
    [
      'an admin page beside the players’ host',
      broker,
      (spec) => {
        spec.routes[0].match = 'Host(`mmo.example.org`) || Host(`argocd.mmo.example.org`)';
      },
      `${broker} spec.routes[0].match: The host 'argocd.mmo.example.org' is an admin page, but is served on the public entry point 'websecure'; only 'mmo.example.org' may be.`,
    ],
    [
      'any other host',
      broker,
      (spec) => {
        spec.routes[0].match = 'Host(`wiki.mmo.example.org`)';
      },
      `${broker} spec.routes[0].match: The host 'wiki.mmo.example.org' is not the players' host, but is served on the public entry point 'websecure'; only 'mmo.example.org' may be.`,
    ],
    [
      'a route for all hosts',
      broker,
      (spec) => {
        spec.routes[0].match = 'PathPrefix(`/`)';
      },
      `${broker} spec.routes[0].match: The rule 'PathPrefix(\`/\`)' on the public entry point 'websecure' is not limited to host names that are written down.`,
    ],
    [
      'a route without an entry point',
      grafana,
      (spec) => {
        delete spec.entryPoints;
      },
      `${grafana} spec.entryPoints: The route names no entry point, so it answers on those that Traefik calls its defaults, which are public.`,
    ],
    [
      'an entry point that does not exist',
      grafana,
      (spec) => {
        spec.entryPoints = ['admin', 'websecure '];
        spec.routes = [];
      },
      `${grafana} spec.entryPoints: Traefik has no entry point 'websecure '; it has 'web', 'websecure', 'admin'.`,
    ],
    [
      "the players' host among the admin pages",
      broker,
      (spec) => {
        spec.entryPoints = ['admin'];
      },
      `${broker} spec.routes[0].match: The players' host 'mmo.example.org' is served on the entry point 'admin', which players cannot reach.`,
    ],
    [
      'the API of game servers',
      broker,
      (spec) => {
        spec.routes[0].services[0] = { name: 'connect-broker-internal', port: 8081 };
      },
      `${broker} spec.routes[0].services[connect-broker-internal]: The Service 'connect-broker-internal' is for game servers and has no route.`,
    ],
    [
      "the webhook of Agones' autoscaler",
      broker,
      (spec) => {
        spec.routes[0].services[0] = { name: 'connect-broker-autoscaler', port: 8082 };
      },
      `${broker} spec.routes[0].services[connect-broker-autoscaler]: The Service 'connect-broker-autoscaler' is for Agones' autoscaler and has no route.`,
    ],
    [
      'metrics',
      broker,
      (spec) => {
        spec.routes[0].services[0].port = 9090;
      },
      `${broker} spec.routes[0].services[connect-broker]: Port '9090' of Service 'connect-broker' leads to metrics (container port 9090), which only the cluster may reach.`,
    ],
    [
      'the internal port behind another number',
      'Service connect-broker/connect-broker',
      (spec) => {
        spec.ports[0].targetPort = 8081;
      },
      `${broker} spec.routes[0].services[connect-broker]: Port '80' of Service 'connect-broker' leads to the API of game servers (container port 8081), which only the cluster may reach.`,
    ],
    [
      "the autoscaler's port behind another number",
      'Service connect-broker/connect-broker',
      (spec) => {
        spec.ports[0].targetPort = 8082;
      },
      `${broker} spec.routes[0].services[connect-broker]: Port '80' of Service 'connect-broker' leads to the webhook of Agones' autoscaler (container port 8082), which only the cluster may reach.`,
    ],
    [
      'the status port of a world',
      world,
      (spec) => {
        spec.ports.push({ name: 'status', port: 7780, targetPort: 'status' });
      },
      `${world} spec.ports[status]: It publishes port 7780/TCP (container port 'status'); of a world only the game's own UDP port (7777) is published.`,
    ],
    [
      'the broker itself on an address of the LAN',
      'Service connect-broker/connect-broker-internal',
      (spec) => {
        spec.type = 'LoadBalancer';
      },
      "Service connect-broker/connect-broker-internal spec.type: It publishes Deployment connect-broker/connect-broker on an address of the LAN; only worlds and the DNS of namespace 'pihole' are published so.",
    ],
    [
      'a port of every node',
      'Service connect-broker/connect-broker-internal',
      (spec) => {
        spec.type = 'NodePort';
      },
      'Service connect-broker/connect-broker-internal spec.type: A NodePort opens the port on every node, beside all pinned addresses.',
    ],
    [
      'an address that MetalLB does not know of',
      'Service connect-broker/connect-broker-internal',
      (spec) => {
        spec.externalIPs = ['192.168.1.9'];
      },
      'Service connect-broker/connect-broker-internal spec.externalIPs: The addresses 192.168.1.9 are taken without MetalLB knowing of it.',
    ],
  ])('does not include %s', (_, id, change, sentence) => {
    const found = sentencesOf(
      check,
      changed(id, ({ spec }) => change(spec)),
    );
    // The redirect of the broker's host leads to the same Service.
    expect(found.filter((each) => !each.startsWith('IngressRoute connect-broker/connect-broker-redirect'))).toEqual([sentence]);
  });

  it("does not include an admin port of the DNS server's Service", () => {
    const dns = (port: number): PlainObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `dns-${port}`, namespace: 'pihole' },
      spec: { type: 'LoadBalancer', selector: { app: 'pihole' }, ports: [{ name: 'x', port, protocol: 'UDP' }] },
    });
    expect(sentencesOf(check, withMore('realms', dns(53), dns(80)))).toEqual([
      "Service pihole/dns-80 spec.ports[x]: It publishes port 80/UDP (container port '80'); of the DNS only port 53 is published.",
    ]);
  });

  it.each(['IngressRouteTCP', 'IngressRouteUDP'])('does not include a route of kind %s', (kind) => {
    const objects = withMore('realms', {
      apiVersion: 'traefik.io/v1alpha1',
      kind,
      metadata: { name: 'x', namespace: 'realm-aurora' },
      spec: { routes: [] },
    });
    expect(sentencesOf(check, objects)).toEqual([
      `${kind} realm-aurora/x kind: A route of kind ${kind} passes connections on without a host name that could be judged.`,
    ]);
  });

  it('does not include an Ingress', () => {
    const objects = withMore('realms', {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'x', namespace: 'realm-aurora' },
      spec: {},
    });
    expect(sentencesOf(check, objects)).toEqual([
      "Ingress realm-aurora/x kind: An Ingress answers on Traefik's default entry points, which are public, with no Middleware of ours before it.",
    ]);
  });

  it('may include more where the object says why', () => {
    const id = 'Service connect-broker/connect-broker-internal';
    const objects = changed(id, ({ spec }) => {
      spec.type = 'NodePort';
    });
    expect(sentencesOf(check, excepting(objects, id, { rule: check.id, field: 'spec.type', reason: 'a test bench' }))).toEqual([]);
  });
});
