/**
 * Cases of the check `resolved-references`: each breaks the good cluster of fixture.ts in one way and says what is found, or changes it in a way that is right.
 */
import { resolvedReferences } from '../../lib/checks/resolved-references';
import type { PlainObject } from '../../lib/emit/manifest';
import { built, changed, charts, excepting, goodObjects, sentencesOf, violationsOf, withMore, without } from './fixture';

const check = resolvedReferences;
const broker = 'Deployment connect-broker/connect-broker';
const template = 'spec.template.spec';
const missing = (what: string): string => `${what} does not exist: no component makes it and no enabled chart is recorded to.`;

describe('references that resolve', () => {
  it('are accepted in a whole cluster', () => {
    expect(sentencesOf(check)).toEqual([]);
  });

  it('include the Secret of a Certificate, with the authority that an own issuer puts in', () => {
    const objects = changed(broker, ({ spec }) => {
      spec.template.spec.volumes.push({
        name: 'ca',
        secret: { secretName: 'connect-broker-tls', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
      });
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('include the Services and Secrets that CloudNativePG makes', () => {
    const objects = withMore(
      'database',
      {
        apiVersion: 'traefik.io/v1alpha1',
        kind: 'IngressRouteTCP',
        metadata: { name: 'x', namespace: 'database' },
        spec: { routes: [{ match: 'HostSNI(`*`)', services: [{ name: 'postgres-rw', port: 5432 }] }] },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'x', namespace: 'database' },
        spec: { containers: [{ name: 'x', env: [{ name: 'CA', valueFrom: { secretKeyRef: { name: 'postgres-ca', key: 'ca.crt' } } }] }] },
      },
    );
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('may be optional and lead nowhere', () => {
    const objects = changed(broker, ({ spec }) => {
      spec.template.spec.containers[0].envFrom = [{ secretRef: { name: 'nowhere', optional: true } }];
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('include keys that are declared and not sealed yet, which the build reports', () => {
    const objects = changed('SealedSecret connect-broker/database-credentials', ({ spec }) => {
      spec.encryptedData = {};
    });
    const secrets = [
      {
        namespace: 'connect-broker',
        name: 'database-credentials',
        purpose: '',
        keys: {
          username: { value: 'u', source: { literal: 'broker' } },
          password: { value: 'p', source: { generate: 'password' as const } },
        },
      },
    ];
    expect(sentencesOf(check, objects, { secrets })).toEqual([]);
  });

  it('are not asked of a ServiceAccount, Secret or ConfigMap that an enabled chart records', () => {
    const objects = changed(broker, ({ spec }) => {
      spec.template.spec.serviceAccountName = 'agones-sdk';
    });
    objects.forEach(({ manifest }) => {
      if (manifest.kind === 'Deployment') manifest.metadata.namespace = 'instances';
    });
    expect(sentencesOf(check, objects).filter((sentence) => sentence.includes('ServiceAccount'))).toEqual([]);
  });
});

describe('references that lead nowhere', () => {
  it.each<[string, string, (spec: PlainObject['spec']) => void, string]>([
    [
      'a Secret of a volume',
      broker,
      (spec) => {
        spec.template.spec.volumes[1].secret.secretName = 'database-credential';
      },
      `${broker} ${template}.volumes[credentials].secret.secretName: ${missing('Secret connect-broker/database-credential')}`,
    ],
    [
      'a key of a Secret in the environment',
      broker,
      (spec) => {
        spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.key = 'user';
      },
      `${broker} ${template}.containers[broker].env[DATABASE_USER].valueFrom.secretKeyRef.name: Secret connect-broker/database-credentials has no key 'user'; it has password, username.`,
    ],
    [
      'a ConfigMap that a container takes its environment from',
      'StatefulSet realm-aurora/eldermoor',
      (spec) => {
        spec.template.spec.containers[0].envFrom[0].configMapRef.name = 'sunreach';
      },
      `StatefulSet realm-aurora/eldermoor ${template}.containers[game].envFrom[0].configMapRef.name: ${missing('ConfigMap realm-aurora/sunreach')}`,
    ],
    [
      'a key of a ConfigMap in a volume',
      broker,
      (spec) => {
        spec.template.spec.volumes[0].configMap.items[0].key = 'config.yaml';
      },
      `${broker} ${template}.volumes[config].configMap.items[0].key: ConfigMap connect-broker/connect-broker has no key 'config.yaml'; it has config.json.`,
    ],
    [
      'a key of a Secret of a Fleet',
      'Fleet instances/dungeon',
      (spec) => {
        spec.template.spec.template.spec.volumes[0].secret.items[0].key = 'generation-2';
      },
      "Fleet instances/dungeon spec.template.spec.template.spec.volumes[netcode-key].secret.items[0].key: Secret instances/netcode-key-dungeon has no key 'generation-2'; it has generation-1.",
    ],
    [
      'a projected Secret',
      broker,
      (spec) => {
        spec.template.spec.volumes.push({ name: 'all', projected: { sources: [{ secret: { name: 'gone' } }] } });
      },
      `${broker} ${template}.volumes[all].projected.sources[0].secret.name: ${missing('Secret connect-broker/gone')}`,
    ],
    [
      'a Secret for pulling images',
      broker,
      (spec) => {
        spec.template.spec.imagePullSecrets = [{ name: 'registry' }];
      },
      `${broker} ${template}.imagePullSecrets[registry].name: ${missing('Secret connect-broker/registry')}`,
    ],
    [
      'a ServiceAccount',
      broker,
      (spec) => {
        spec.template.spec.serviceAccountName = 'broker';
      },
      `${broker} ${template}.serviceAccountName: ${missing('ServiceAccount connect-broker/broker')}`,
    ],
    [
      'a claim',
      broker,
      (spec) => {
        spec.template.spec.volumes.push({ name: 'data', persistentVolumeClaim: { claimName: 'data' } });
      },
      `${broker} ${template}.volumes[data].persistentVolumeClaim.claimName: ${missing('PersistentVolumeClaim connect-broker/data')}`,
    ],
    [
      'a PriorityClass',
      broker,
      (spec) => {
        spec.template.spec.priorityClassName = 'worlds';
      },
      `${broker} ${template}.priorityClassName: ${missing('PriorityClass worlds')}`,
    ],
    [
      'the port of a probe',
      broker,
      (spec) => {
        spec.template.spec.containers[0].livenessProbe.httpGet.port = 'health';
      },
      `${broker} ${template}.containers[broker].livenessProbe.httpGet.port: The container 'broker' has no port named 'health'; it has http, internal, metrics.`,
    ],
    [
      "a StatefulSet's Service",
      'StatefulSet realm-aurora/eldermoor',
      (spec) => {
        spec.serviceName = 'worlds';
      },
      `StatefulSet realm-aurora/eldermoor spec.serviceName: ${missing('Service realm-aurora/worlds')}`,
    ],
    [
      'the port that a Service sends to',
      'Service connect-broker/connect-broker-internal',
      (spec) => {
        spec.ports[0].targetPort = 'inner';
      },
      "Service connect-broker/connect-broker-internal spec.ports[internal].targetPort: No container of Deployment connect-broker/connect-broker has the port 'inner'.",
    ],
    [
      "a route's Service",
      'IngressRoute monitoring/grafana',
      (spec) => {
        spec.routes[0].services[0].name = 'graphana';
      },
      `IngressRoute monitoring/grafana spec.routes[0].services[graphana].name: ${missing('Service monitoring/graphana')}`,
    ],
    [
      "the port of a route's Service",
      'IngressRoute monitoring/grafana',
      (spec) => {
        spec.routes[0].services[0].port = 3000;
      },
      "IngressRoute monitoring/grafana spec.routes[0].services[grafana].name: Service monitoring/grafana has no port '3000'; it has http-web (80).",
    ],
    [
      "a route's Middleware",
      'IngressRoute monitoring/grafana',
      (spec) => {
        spec.routes[0].middlewares[0].name = 'headers';
      },
      `IngressRoute monitoring/grafana spec.routes[0].middlewares[headers].name: ${missing('Middleware monitoring/headers')}`,
    ],
    [
      "a route's TLS options",
      'IngressRoute monitoring/grafana',
      (spec) => {
        spec.tls.options.name = 'modern';
      },
      `IngressRoute monitoring/grafana spec.tls.options.name: ${missing('TLSOption monitoring/modern')}`,
    ],
    [
      "a route's certificate",
      'IngressRoute monitoring/grafana',
      (spec) => {
        spec.tls.secretName = 'grafana';
      },
      `IngressRoute monitoring/grafana spec.tls.secretName: ${missing('Secret monitoring/grafana')}`,
    ],
    [
      "a Certificate's issuer",
      'Certificate monitoring/grafana-tls',
      (spec) => {
        spec.issuerRef.name = 'letsencrypt';
      },
      `Certificate monitoring/grafana-tls spec.issuerRef.name: ${missing('ClusterIssuer letsencrypt')}`,
    ],
    [
      "the Secret of a ClusterIssuer, which lies in cert-manager's namespace",
      'ClusterIssuer cluster-ca',
      (spec) => {
        spec.ca.secretName = 'authority';
      },
      `ClusterIssuer cluster-ca spec.ca.secretName: ${missing('Secret cert-manager/authority')}`,
    ],
    [
      "a ClusterIssuer's API token",
      'ClusterIssuer cluster-ca',
      (spec) => {
        spec.acme = {
          privateKeySecretRef: { name: 'account', key: 'tls.key' },
          solvers: [{ dns01: { cloudflare: { apiTokenSecretRef: { name: 'cloudflare', key: 'token' } } } }],
        };
      },
      `ClusterIssuer cluster-ca spec.acme.solvers[0].dns01.cloudflare.apiTokenSecretRef.name: ${missing('Secret cert-manager/cloudflare')}`,
    ],
    [
      "a database's credentials",
      'Cluster database/postgres',
      (spec) => {
        spec.bootstrap.initdb.secret.name = 'owner';
      },
      `Cluster database/postgres spec.bootstrap.initdb.secret.name: ${missing('Secret database/owner')}`,
    ],
    [
      "a database's object store",
      'Cluster database/postgres',
      (spec) => {
        spec.plugins[0].parameters.barmanObjectName = 'archive';
      },
      `Cluster database/postgres spec.plugins[barman-cloud.cloudnative-pg.io].parameters.barmanObjectName: ${missing('ObjectStore database/archive')}`,
    ],
    [
      "an object store's credentials",
      'ObjectStore database/backups',
      (spec) => {
        spec.configuration.s3Credentials.accessKeyId.key = 'id';
      },
      "ObjectStore database/backups spec.configuration.s3Credentials.accessKeyId.name: Secret database/backup-s3 has no key 'id'; it has access-key-id, secret-access-key.",
    ],
    [
      "a schedule's pod configuration",
      'Schedule realm-aurora/worlds',
      (spec) => {
        spec.podConfigRef.name = 'restic';
      },
      `Schedule realm-aurora/worlds spec.podConfigRef.name: ${missing('PodConfig realm-aurora/restic')}`,
    ],
    [
      "a schedule's repository password",
      'Schedule realm-aurora/worlds',
      (spec) => {
        spec.backend.repoPasswordSecretRef.name = 'restic';
      },
      `Schedule realm-aurora/worlds spec.backend.repoPasswordSecretRef.name: ${missing('Secret realm-aurora/restic')}`,
    ],
    [
      'the target of an autoscaler',
      'HorizontalPodAutoscaler connect-broker/connect-broker',
      (spec) => {
        spec.scaleTargetRef.name = 'broker';
      },
      `HorizontalPodAutoscaler connect-broker/connect-broker spec.scaleTargetRef.name: ${missing('Deployment connect-broker/broker')}`,
    ],
    [
      'the Fleet of an autoscaler',
      'FleetAutoscaler instances/dungeon',
      (spec) => {
        spec.fleetName = 'dungeons';
      },
      `FleetAutoscaler instances/dungeon spec.fleetName: ${missing('Fleet instances/dungeons')}`,
    ],
    [
      "the webhook of an autoscaler's chain",
      'FleetAutoscaler instances/dungeon',
      (spec) => {
        spec.policy = {
          type: 'Chain',
          chain: [
            {
              id: 'wake',
              type: 'Webhook',
              webhook: { service: { name: 'connect-broker-internal', namespace: 'connect-broker', port: 80 } },
            },
          ],
        };
      },
      "FleetAutoscaler instances/dungeon spec.policy.chain[wake].webhook.service.name: Service connect-broker/connect-broker-internal has no port '80'; it has internal (8081).",
    ],
    [
      'the port that a ServiceMonitor reads',
      'ServiceMonitor connect-broker/connect-broker',
      (spec) => {
        spec.endpoints[0].port = 'prometheus';
      },
      "ServiceMonitor connect-broker/connect-broker spec.endpoints[0].port: None of the Services that it selects (connect-broker) has a port named 'prometheus'.",
    ],
    [
      'the port that a PodMonitor reads',
      'PodMonitor realm-aurora/game-server',
      (spec) => {
        spec.podMetricsEndpoints[0].port = 'prometheus';
      },
      "PodMonitor realm-aurora/game-server spec.podMetricsEndpoints[0].port: None of the pods that it selects (StatefulSet realm-aurora/eldermoor) has a port named 'prometheus'.",
    ],
    [
      'an address pool',
      'L2Advertisement metallb-system/lan',
      (spec) => {
        spec.ipAddressPools[1] = 'game';
      },
      `L2Advertisement metallb-system/lan spec.ipAddressPools[1]: ${missing('IPAddressPool metallb-system/game')}`,
    ],
    [
      'the database of a scheduled backup',
      'ScheduledBackup database/postgres-daily',
      (spec) => {
        spec.cluster.name = 'postgresql';
      },
      `ScheduledBackup database/postgres-daily spec.cluster.name: ${missing('Cluster database/postgresql')}`,
    ],
  ])('are refused: %s', (_, id, change, sentence) => {
    expect(
      sentencesOf(
        check,
        changed(id, ({ spec }) => change(spec)),
      ),
    ).toEqual([sentence]);
  });

  it('are refused: a key that an ACME certificate does not have', () => {
    const objects = changed('ClusterIssuer cluster-ca', (manifest) => {
      manifest.spec = { acme: { solvers: [] } };
    });
    objects.forEach(({ manifest }) => {
      if (manifest.kind === 'Deployment') {
        manifest.spec.template.spec.volumes.push({
          name: 'ca',
          secret: { secretName: 'connect-broker-tls', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
        });
      }
    });
    expect(sentencesOf(check, objects)).toEqual([
      `${broker} ${template}.volumes[ca].secret.items[0].key: Secret connect-broker/connect-broker-tls has no key 'ca.crt'; it has tls.crt, tls.key.`,
    ]);
  });

  it('are refused: the role of a binding', () => {
    const objects = changed('RoleBinding realm-aurora/connect-broker', (manifest) => {
      manifest.roleRef.name = 'broker';
    });
    expect(sentencesOf(check, objects)).toEqual([
      `RoleBinding realm-aurora/connect-broker roleRef.name: ${missing('Role realm-aurora/broker')}`,
    ]);
  });

  it('are refused: the subject of a binding', () => {
    const objects = changed('ClusterRoleBinding connect-broker-token-review', (manifest) => {
      manifest.subjects[0].namespace = 'broker';
    });
    expect(sentencesOf(check, objects)).toEqual([
      `ClusterRoleBinding connect-broker-token-review subjects[connect-broker].name: ${missing('ServiceAccount broker/connect-broker')}`,
    ]);
  });

  it('are accepted to roles that every cluster has', () => {
    const objects = changed('ClusterRoleBinding connect-broker-token-review', (manifest) => {
      manifest.roleRef.name = 'system:auth-delegator';
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('are refused: a namespace that nobody declares', () => {
    const objects = withMore('realms', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'realm-aurroa' } });
    expect(violationsOf(check, objects)).toEqual([
      {
        rule: 'resolved-references',
        application: 'realms',
        object: 'ConfigMap realm-aurroa/x',
        field: 'metadata.namespace',
        message: "The namespace 'realm-aurroa' is declared by no component.",
        fix: "Declare it in the component's 'namespaces', or correct the name (did you mean 'realm-aurora'?).",
      },
    ]);
  });

  it('are refused: the destination of an Application', () => {
    const objects = changed('Application argocd/instances', ({ spec }) => {
      spec.destination.namespace = 'instanced';
    });
    expect(sentencesOf(check, objects)).toEqual([
      "Application argocd/instances spec.destination.namespace: The namespace 'instanced' is declared by no component.",
    ]);
  });

  it("are refused: a Secret that a chart's values name", () => {
    const objects = without('SealedSecret monitoring/grafana-admin');
    expect(sentencesOf(check, objects)).toEqual([
      "Application argocd/kube-prometheus-stack spec.source.helm.valuesObject: The values of chart 'kube-prometheus-stack' name Secret monitoring/grafana-admin, which does not exist: no component makes it.",
    ]);
  });

  it("are refused: a key that a chart's values name", () => {
    const objects = changed('SealedSecret monitoring/grafana-admin', ({ spec }) => {
      delete spec.encryptedData['admin-user'];
    });
    expect(sentencesOf(check, objects)).toEqual([
      "Application argocd/kube-prometheus-stack spec.source.helm.valuesObject: The values of chart 'kube-prometheus-stack' name Secret monitoring/grafana-admin with the key 'admin-user', which it does not have.",
    ]);
  });

  it.each<[string, string, string]>([
    [
      'of a Service that does not exist',
      'http://broker.connect-broker.svc.cluster.local:8081',
      'but there is no Service connect-broker/broker.',
    ],
    [
      'with a port that the Service does not have',
      'http://connect-broker-internal.connect-broker.svc:8080',
      'but Service connect-broker/connect-broker-internal has no port 8080; it has 8081.',
    ],
  ])('are refused: an address %s, in a ConfigMap', (_, url, problem) => {
    const objects = changed('ConfigMap realm-aurora/eldermoor', ({ data }) => {
      data.MMO_BROKER_URL = `${url}/claim`;
    });
    expect(sentencesOf(check, objects)).toEqual([
      `ConfigMap realm-aurora/eldermoor data[MMO_BROKER_URL]: It names the address '${url.slice(7)}', ${problem}`,
    ]);
  });

  it('are refused: an address in the environment', () => {
    const objects = changed(broker, ({ spec }) => {
      spec.template.spec.containers[0].env.push({ name: 'HOST', value: 'pooler.database.svc' });
    });
    expect(sentencesOf(check, objects)).toEqual([
      `${broker} ${template}.containers[broker].env[HOST].value: It names the address 'pooler.database.svc', but there is no Service database/pooler.`,
    ]);
  });

  it('are refused: an address in the values of a chart', () => {
    const objects = changed('Application argocd/k8up', ({ spec }) => {
      spec.source.helm.valuesObject = { env: [{ name: 'X', value: 'http://gateway.monitoring.svc:9091' }] };
    });
    expect(sentencesOf(check, objects)).toEqual([
      "Application argocd/k8up spec.source.helm.valuesObject.env[0].value: It names the address 'gateway.monitoring.svc:9091', but there is no Service monitoring/gateway.",
    ]);
  });

  it('are refused: a Certificate in the values of a chart', () => {
    const objects = changed('Application argocd/k8up', ({ spec }) => {
      spec.source.helm.valuesObject = { webhook: { annotations: { 'cert-manager.io/inject-ca-from': 'k8up/webhook' } } };
    });
    expect(sentencesOf(check, objects)).toEqual([
      'Application argocd/k8up spec.source.helm.valuesObject.webhook.annotations.cert-manager.io/inject-ca-from: It names Certificate k8up/webhook, which does not exist.',
    ]);
  });

  it('include addresses of Services, also of those that CloudNativePG makes and of single pods', () => {
    const objects = changed('ConfigMap realm-aurora/eldermoor', ({ data }) => {
      data.URLS =
        'http://connect-broker-internal.connect-broker.svc.cluster.local:8081/x postgres-rw.database.svc:5432 eldermoor-0.eldermoor.realm-aurora.svc:7777';
    });
    expect(sentencesOf(check, objects)).toEqual([]);
  });

  it('are refused: a Service of a chart that the cluster does not have', () => {
    const fewer = charts.filter(({ name }) => name !== 'kube-prometheus-stack');
    expect(sentencesOf(check, goodObjects(), { charts: fewer })).toEqual([
      `IngressRoute monitoring/grafana spec.routes[0].services[grafana].name: ${missing('Service monitoring/grafana')}`,
    ]);
  });

  it('say what was probably meant', () => {
    const objects = changed(broker, ({ spec }) => {
      spec.template.spec.serviceAccountName = 'conect-broker';
    });
    expect(violationsOf(check, objects).map(({ fix }) => fix)).toEqual([
      "Add the ServiceAccount, or record it in the chart's entry in argocd/catalog, or correct the name (did you mean 'connect-broker'?).",
    ]);
  });

  it('say where one of that name is, when only the namespace is wrong', () => {
    const objects = changed('IngressRoute monitoring/grafana', ({ spec }) => {
      spec.routes[0].middlewares[0].name = 'connect-broker-headers';
    });
    expect(violationsOf(check, objects).map(({ fix }) => fix)).toEqual([
      "Add the Middleware, or correct the name; one of that name is in namespace 'connect-broker', which cannot be used from here.",
    ]);
  });

  it('are accepted where the object says why', () => {
    const objects = changed(broker, ({ spec }) => {
      spec.template.spec.volumes[1].secret.secretName = 'made-by-hand';
    });
    const exception = {
      rule: 'resolved-references',
      field: `${template}.volumes[credentials].secret.secretName`,
      reason: 'a person makes it',
    };
    expect(sentencesOf(check, excepting(objects, broker, exception))).toEqual([]);
  });

  it('are all reported at once', () => {
    const objects = changed(broker, ({ spec }) => {
      spec.template.spec.serviceAccountName = 'a';
      spec.template.spec.priorityClassName = 'b';
    });
    expect(violationsOf(check, objects)).toHaveLength(2);
  });

  it('are read once for a whole cluster, whose objects are left as they were', () => {
    const objects = goodObjects();
    violationsOf(check, objects);
    expect(built(objects).objects).toEqual(goodObjects());
  });
});
