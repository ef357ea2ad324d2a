/**
 * Cases of the check `needed-flows`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { runChecks } from '../../lib/checks';
import { neededFlows } from '../../lib/checks/needed-flows';
import { workload } from '../../lib/component';
import type { PlainObject } from '../../lib/emit/manifest';
import type { Flow, Peer } from '../../lib/flows';
import { built, changed, excepting, flows, goodObjects, sentencesOf, violationsOf, withMore } from './fixture';

function nameOf(peer: Peer): string {
  if ('outside' in peer) return peer.outside;
  return 'members' in peer ? 'game servers' : `${peer.namespace}/${peer.name}`;
}

/** The flows without those from one end to another; the fixture must have some. */
function lacking(from: string, to: string): readonly Flow[] {
  const rest = flows.filter((flow) => nameOf(flow.from) !== from || nameOf(flow.to) !== to);
  if (rest.length === flows.length) throw new Error(`The fixture has no flow from ${from} to ${to}.`);
  return rest;
}

const sentences = (objects = goodObjects(), remaining = flows) => sentencesOf(neededFlows, objects, { flows: remaining });
/** `<object> <field>` of what is found. */
const places = (objects = goodObjects(), remaining = flows) =>
  violationsOf(neededFlows, objects, { flows: remaining }).map(({ object, field }) => `${object} ${field}`);

const BROKER = 'Deployment connect-broker/connect-broker';
const CONFIG = 'ConfigMap connect-broker/connect-broker';
const DATABASE = 'postgres-rw.database.svc.cluster.local';
const namesDatabase = (address = DATABASE) =>
  changed(CONFIG, ({ data }) => {
    data['config.json'] = JSON.stringify({ database: { host: address } });
  });
const configMap = (data: object): PlainObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'other', namespace: 'connect-broker' },
  data,
});

describe('needed-flows', () => {
  it('finds nothing in the good cluster', () => {
    expect(sentences()).toEqual([]);
  });

  it('runs with the other checks', () => {
    const remaining = lacking('monitoring/prometheus', 'connect-broker/connect-broker');
    expect(runChecks(built(goodObjects(), { flows: remaining })).map(({ rule }) => rule)).toContain(neededFlows.id);
  });
});

describe('a route', () => {
  it('needs a flow from Traefik to the pods of our Service', () => {
    expect(sentences(goodObjects(), lacking('traefik/traefik', 'connect-broker/connect-broker'))).toEqual([
      'IngressRoute connect-broker/connect-broker spec.routes[0].services[connect-broker].name: No flow permits it: traffic from traefik of chart traefik to Deployment connect-broker/connect-broker on 8080/TCP, which it needs because it sends to Service connect-broker/connect-broker.',
      'IngressRoute connect-broker/connect-broker-redirect spec.routes[0].services[connect-broker].name: No flow permits it: traffic from traefik of chart traefik to Deployment connect-broker/connect-broker on 8080/TCP, which it needs because it sends to Service connect-broker/connect-broker.',
    ]);
  });

  it("needs a flow to an upstream chart's pods, by their record", () => {
    expect(sentences(goodObjects(), lacking('traefik/traefik', 'monitoring/grafana'))).toEqual([
      'IngressRoute monitoring/grafana spec.routes[0].services[grafana].name: No flow permits it: traffic from traefik of chart traefik to grafana of chart kube-prometheus-stack on 3000/TCP, which it needs because it sends to Service monitoring/grafana.',
    ]);
  });

  it('needs clients to reach its entry point', () => {
    expect(sentences(goodObjects(), lacking('address', 'traefik/traefik'))).toEqual([
      "IngressRoute monitoring/grafana spec.entryPoints: No flow lets it in: traffic from clients outside of the cluster to traefik of chart traefik on 8444/TCP, which it needs because it is served at the entry point 'admin'.",
    ]);
  });

  it("needs Traefik's way to the service that authenticates", () => {
    const objects = changed('Middleware monitoring/grafana-headers', ({ spec }) => {
      spec.forwardAuth = { address: 'http://connect-broker-internal.connect-broker.svc:8081/auth' };
    });
    expect(places(objects)).toEqual(['Middleware monitoring/grafana-headers spec.forwardAuth.address']);
  });

  it('is not served by a flow of another port', () => {
    const remaining = flows.map((flow) => (flow.because === 'Players come through Traefik.' ? { ...flow, ports: [{ port: 8081 }] } : flow));
    expect(places(goodObjects(), remaining)).toContain(
      'IngressRoute connect-broker/connect-broker spec.routes[0].services[connect-broker].name',
    );
  });

  it('is served by two flows of which one lets out and the other lets in', () => {
    const ports = [{ port: 8080 }];
    const remaining: readonly Flow[] = [
      ...lacking('traefik/traefik', 'connect-broker/connect-broker'),
      { from: workload('traefik', 'traefik', { app: 'traefik' }), to: { outside: 'anywhere' }, ports, because: 'Any page.' },
      {
        from: { outside: 'anywhere' },
        to: workload('connect-broker', 'connect-broker', { app: 'connect-broker' }),
        ports,
        because: 'All.',
      },
    ];
    expect(sentences(goodObjects(), remaining)).toEqual([]);
  });

  it('says at which end a flow is missing', () => {
    const ports = [{ port: 8080 }];
    const remaining: readonly Flow[] = [
      ...lacking('traefik/traefik', 'connect-broker/connect-broker'),
      { from: workload('traefik', 'traefik', { app: 'traefik' }), to: { outside: 'anywhere' }, ports, because: 'Any page.' },
    ];
    expect(sentences(goodObjects(), remaining)[0]).toContain('No flow lets it in: ');
  });
});

describe('a monitor', () => {
  it('of Services needs a flow from Prometheus to the port of their pods', () => {
    expect(sentences(goodObjects(), lacking('monitoring/prometheus', 'connect-broker/connect-broker'))).toEqual([
      'ServiceMonitor connect-broker/connect-broker spec.endpoints[0]: No flow permits it: traffic from prometheus of chart kube-prometheus-stack to Deployment connect-broker/connect-broker on 9090/TCP, which it needs because Prometheus reads the metrics there.',
    ]);
  });

  it('of pods needs a flow from Prometheus to each of them', () => {
    expect(sentences(goodObjects(), lacking('monitoring/prometheus', 'game servers'))).toEqual([
      'PodMonitor realm-aurora/game-server spec.podMetricsEndpoints[0]: No flow permits it: traffic from prometheus of chart kube-prometheus-stack to StatefulSet realm-aurora/eldermoor on 7781/TCP, which it needs because Prometheus reads the metrics there.',
      'PodMonitor instances/game-server spec.podMetricsEndpoints[0]: No flow permits it: traffic from prometheus of chart kube-prometheus-stack to Fleet instances/dungeon on 7781/TCP, which it needs because Prometheus reads the metrics there.',
    ]);
  });
});

describe('a token', () => {
  const remaining = lacking('connect-broker/connect-broker', 'api-server');

  it('of the API server that is mounted needs a flow there', () => {
    expect(sentences(goodObjects(), remaining)).toEqual([
      `${BROKER} spec.template.spec.automountServiceAccountToken: No flow lets it out: traffic from Deployment connect-broker/connect-broker to the API server on 6443/TCP, which it needs because its pods have a token of the API server mounted.`,
    ]);
  });

  it('is mounted where neither the pod nor its account says otherwise', () => {
    const objects = changed(BROKER, ({ spec }) => void delete spec.template.spec.automountServiceAccountToken);
    const account = objects.find(({ manifest }) => manifest.kind === 'ServiceAccount' && manifest.metadata.name === 'connect-broker');
    delete account?.manifest.automountServiceAccountToken;
    expect(places(objects, remaining)).toEqual([`${BROKER} spec.template.spec.automountServiceAccountToken`]);
  });

  it('is not mounted where the account says so', () => {
    const objects = changed(BROKER, ({ spec }) => void delete spec.template.spec.automountServiceAccountToken);
    expect(sentences(objects, remaining)).toEqual([]);
  });

  it('of the API server in a volume needs a flow there', () => {
    const objects = changed(BROKER, ({ spec }) => {
      spec.template.spec.automountServiceAccountToken = false;
      spec.template.spec.volumes.push({ name: 'api', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } });
    });
    expect(places(objects, remaining)).toEqual([`${BROKER} spec.template.spec.volumes[api]`]);
  });

  it('for somebody else needs none', () => {
    const objects = changed(BROKER, ({ spec }) => {
      spec.template.spec.automountServiceAccountToken = false;
      spec.template.spec.volumes.push({
        name: 'vault',
        projected: { sources: [{ serviceAccountToken: { audience: 'vault', path: 't' } }] },
      });
    });
    expect(sentences(objects, remaining)).toEqual([]);
  });

  it.each([
    ['database/postgres', 'Cluster database/postgres spec'],
    ['instances/game-server', 'Fleet instances/dungeon spec.template.spec.template.spec.serviceAccountName'],
    ['realm-aurora/backup', 'Schedule realm-aurora/worlds spec'],
  ])('that an operator gives to %s needs a flow, too', (from, place) => {
    expect(new Set(places(goodObjects(), lacking(from, 'api-server')))).toEqual(new Set([place]));
  });
});

describe('credentials of a database', () => {
  it.each<[string, (spec: PlainObject['spec']) => void]>([
    ['a volume', ({ volumes }) => volumes.push({ name: 'role', secret: { secretName: 'broker-owner' } })],
    [
      'the environment',
      ({ containers }) => containers[0].env.push({ name: 'P', valueFrom: { secretKeyRef: { name: 'broker-owner', key: 'password' } } }),
    ],
    ['a role of its own kind', ({ volumes }) => volumes.push({ name: 'role', secret: { secretName: 'reader' } })],
    ['what the operator makes', ({ volumes }) => volumes.push({ name: 'ca', secret: { secretName: 'postgres-ca' } })],
  ])('need a flow to it: %s', (_, change) => {
    const objects = withMore(
      'database',
      {
        apiVersion: 'postgresql.cnpg.io/v1',
        kind: 'DatabaseRole',
        metadata: { name: 'reader', namespace: 'database' },
        spec: { cluster: { name: 'postgres' }, name: 'reader', passwordSecret: { name: 'reader' } },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'reports', namespace: 'database' },
        spec: { template: { metadata: { labels: { app: 'reports' } }, spec: reports(change) } },
      },
    );
    expect(violationsOf(neededFlows, objects).map(({ object }) => object)).toEqual(['Deployment database/reports']);
  });

  function reports(change: (spec: PlainObject['spec']) => void): object {
    const spec = { automountServiceAccountToken: false, containers: [{ name: 'reports', env: [] }], volumes: [] };
    change(spec);
    return spec;
  }
});

describe('an address in the cluster', () => {
  const remaining = lacking('connect-broker/connect-broker', 'database/postgres');

  it('in a ConfigMap needs a flow to the pods behind it', () => {
    expect(sentences(namesDatabase(), remaining)).toEqual([
      `${BROKER} spec.template.spec.volumes[config].configMap.items[0].key: No flow permits it: traffic from Deployment connect-broker/connect-broker to instances of Cluster database/postgres on 5432/TCP, which it needs because it names the address '${DATABASE}'.`,
    ]);
  });

  it('in a ConfigMap is served by the declared flow', () => {
    expect(sentences(namesDatabase())).toEqual([]);
  });

  it('in a key that no pod takes needs none', () => {
    const objects = changed(CONFIG, ({ data }) => {
      data['notes.txt'] = DATABASE;
    });
    expect(sentences(objects, remaining)).toEqual([]);
  });

  it('in a ConfigMap that no pod takes needs none', () => {
    expect(sentences(withMore('connect-broker', configMap({ address: DATABASE })), remaining)).toEqual([]);
  });

  it('in the environment needs a flow', () => {
    const objects = changed(
      BROKER,
      ({ spec }) => void spec.template.spec.containers[0].env.push({ name: 'DB', value: `${DATABASE}:5432` }),
    );
    expect(places(objects, remaining)).toEqual([`${BROKER} spec.template.spec.containers[broker].env[DB].value`]);
  });

  it('in an argument needs a flow', () => {
    const objects = changed(BROKER, ({ spec }) => {
      spec.template.spec.containers[0].args = ['--database', DATABASE];
    });
    expect(places(objects, remaining)).toEqual([`${BROKER} spec.template.spec.containers[broker].args`]);
  });

  it('needs a flow from every kind of game server that names it', () => {
    const objects = goodObjects();
    const broker = 'http://connect-broker-internal.connect-broker.svc.cluster.local:8081';
    for (const { manifest } of objects) if (manifest.data?.MMO_KIND) manifest.data.MMO_BROKER = broker;
    expect(
      violationsOf(neededFlows, objects, { flows: lacking('game servers', 'connect-broker/connect-broker') }).map(({ object }) => object),
    ).toEqual(['StatefulSet realm-aurora/eldermoor', 'Fleet instances/dungeon']);
  });

  it('is served by a flow of the group that the pods belong to', () => {
    const objects = changed('ConfigMap realm-aurora/eldermoor', ({ data }) => {
      data.MMO_BROKER = 'http://connect-broker-internal.connect-broker.svc:8081';
    });
    expect(sentences(objects)).toEqual([]);
  });

  it("in a chart's values needs a flow from one of the chart's pods", () => {
    const objects = changed('Application argocd/k8up', ({ spec }) => {
      spec.source.helm = { valuesObject: { url: 'http://connect-broker.connect-broker.svc' } };
    });
    expect(sentences(objects)).toEqual([
      "Application argocd/k8up spec.source.helm.valuesObject.url: No flow permits it: traffic from k8up of chart k8up to Deployment connect-broker/connect-broker on 8080/TCP, which it needs because it names the address 'connect-broker.connect-broker.svc'.",
    ]);
  });

  it('is reached by the autoscaler of Agones that asks it', () => {
    const objects = changed('FleetAutoscaler instances/dungeon', ({ spec }) => {
      spec.policy = { type: 'Webhook', webhook: { service: { name: 'connect-broker-internal', namespace: 'connect-broker', port: 8081 } } };
    });
    expect(places(objects)).toEqual(['FleetAutoscaler instances/dungeon spec.policy.webhook.service.name']);
  });
});

describe('a port for clients', () => {
  it('of a load balancer needs a flow from outside to the port of the pods', () => {
    expect(sentences(goodObjects(), lacking('anywhere', 'realm-aurora/game-server'))).toEqual([
      'Service realm-aurora/eldermoor-public spec.ports[game]: No flow lets it in: traffic from clients outside of the cluster to StatefulSet realm-aurora/eldermoor on 7777/UDP, which it needs because it is a load balancer for that port.',
    ]);
  });

  it('of a load balancer needs its own protocol', () => {
    const objects = changed('Service realm-aurora/eldermoor-public', ({ spec }) => void delete spec.ports[0].protocol);
    expect(sentences(objects)[0]).toContain('on 7777/TCP');
  });

  it('that Agones opens on a node needs one, too', () => {
    expect(places(goodObjects(), lacking('anywhere', 'instances/game-server'))).toEqual([
      'Fleet instances/dungeon spec.template.spec.ports[game]',
    ]);
  });

  it('that a container opens on a node needs one, too', () => {
    const objects = changed(BROKER, ({ spec }) => {
      spec.template.spec.containers[0].ports[0].hostPort = 8080;
    });
    expect(places(objects)).toEqual([`${BROKER} spec.template.spec.containers[broker].ports[http]`]);
  });
});

describe('an archive', () => {
  it('of a database needs a flow to its object store', () => {
    const remaining = lacking('database/postgres', 'internet');
    expect(new Set(sentences(goodObjects(), remaining))).toEqual(
      new Set([
        "Cluster database/postgres spec.plugins: No flow lets it out: traffic from instances of Cluster database/postgres to s3.example.org on 443/TCP, which it needs because ObjectStore 'backups' is where its archive is.",
        "Cluster database/postgres spec.plugins: No flow lets it out: traffic from bootstrap Jobs of Cluster database/postgres to s3.example.org on 443/TCP, which it needs because ObjectStore 'backups' is where its archive is.",
      ]),
    );
  });

  it('of worlds needs a flow to its object store', () => {
    expect(places(goodObjects(), lacking('realm-aurora/backup', 'internet'))).toEqual([
      'Schedule realm-aurora/worlds spec.backend.s3.endpoint',
    ]);
  });

  it("on another port is not served by the Internet's 443", () => {
    const objects = changed('Schedule realm-aurora/worlds', ({ spec }) => {
      spec.backend.s3.endpoint = 'https://s3.example.org:9000';
    });
    expect(places(objects)).toEqual(['Schedule realm-aurora/worlds spec.backend.s3.endpoint']);
  });

  it('in the LAN is not on the Internet', () => {
    const objects = changed('Schedule realm-aurora/worlds', ({ spec }) => {
      spec.backend.s3.endpoint = 'https://192.168.1.5';
    });
    expect(places(objects)).toEqual(['Schedule realm-aurora/worlds spec.backend.s3.endpoint']);
  });

  it('in the LAN is served by a flow to its address', () => {
    const objects = changed('Schedule realm-aurora/worlds', ({ spec }) => {
      spec.backend.s3.endpoint = 'https://192.168.1.5';
    });
    const from = workload('realm-aurora', 'backup', { k8upjob: 'true' });
    const to = { outside: 'address', cidr: '192.168.1.5/32' } as const;
    expect(sentences(objects, [...flows, { from, to, ports: [{ port: 443 }], because: 'The store at home.' }])).toEqual([]);
  });
});

it('lets an object depart from it with a reason', () => {
  const field = 'spec.podMetricsEndpoints[0]';
  const id = 'PodMonitor realm-aurora/game-server';
  const objects = excepting(goodObjects(), id, { rule: neededFlows.id, field, reason: 'The realm is being moved.' });
  expect(places(objects, lacking('monitoring/prometheus', 'game servers'))).toEqual([
    'PodMonitor instances/game-server spec.podMetricsEndpoints[0]',
  ]);
});
