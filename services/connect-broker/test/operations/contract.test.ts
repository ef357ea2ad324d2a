/** The program and the manifests agree: configuration, files, ports, probes, streams and metrics are what dist/ has and lib/ promises. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import {
  BROKER_AUTOSCALER_PATH,
  BROKER_COMMANDS,
  BROKER_ENVIRONMENT,
  BROKER_FILES,
  BROKER_OPERATIONS,
  BROKER_STREAMING_PATHS,
} from '../../../../lib/broker-contract.ts';
import { METRICS } from '../../../../lib/metrics.ts';
import type { Database } from '../../src/database/database.ts';
import { autoscalerApplication } from '../../src/http/autoscaler.ts';
import { internalApplication } from '../../src/http/internal.ts';
import { operationsApplication } from '../../src/http/operations.ts';
import { publicApplication } from '../../src/http/public.ts';
import { PROBLEM_TYPE } from '../../src/problem.ts';
import { parseSettings } from '../../src/settings.ts';
import { testBroker } from '../support/broker.ts';

const root = path.join(import.meta.dirname, '../../../..');
const clusters = readdirSync(path.join(root, 'dist')).filter((name) => existsSync(path.join(root, 'dist', name, 'connect-broker')));

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as they are
const manifest = (cluster: string, file: string): any =>
  parse(readFileSync(path.join(root, 'dist', cluster, 'connect-broker/connect-broker', file), 'utf8'));

/** A database that nothing here asks. */
const noDatabase: Database = {
  query: () => Promise.reject(new Error('not asked')),
  transaction: () => Promise.reject(new Error('not asked')),
  listen: () => Promise.resolve(),
  up: false,
  poolState: () => ({ idle: 0, busy: 0, waiting: 0 }),
  close: () => Promise.resolve(),
};

test('dist has at least one cluster with a broker', () => assert.notEqual(clusters.length, 0));

for (const cluster of clusters) {
  describe(`dist/${cluster}`, () => {
    const configMap = manifest(cluster, 'ConfigMap.connect-broker-config.yaml');
    const deployment = manifest(cluster, 'Deployment.connect-broker.yaml');
    const container = deployment.spec.template.spec.containers[0];
    const config = JSON.parse(configMap.data['config.json']);

    test('has a configuration that the program accepts', () => {
      assert.doesNotThrow(() => parseSettings(config, 'config.json'));
    });

    test('gives the configuration at the path that its environment names', () => {
      const variable = container.env.find(({ name }: { name: string }) => name === BROKER_ENVIRONMENT.config);
      assert.equal(variable.value, BROKER_FILES.config);
    });

    test('mounts every directory that the configuration names', () => {
      const mounted: string[] = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
      const named = [
        config.database.credentialsDirectory,
        path.dirname(config.database.caFile),
        config.sessions.keysDirectory,
        config.tokens.keysDirectory,
      ];
      assert.deepEqual(
        named.filter((directory) => !mounted.includes(directory)),
        [],
      );
    });

    test('starts the program with a command that it has', () => {
      assert.deepEqual(container.args, [...BROKER_COMMANDS.serve]);
      const main = readFileSync(path.join(root, 'services/connect-broker/src/main.ts'), 'utf8');
      for (const [command] of Object.values(BROKER_COMMANDS)) assert.match(main, new RegExp(`^  ${command}: async`, 'm'));
    });

    test('opens the ports that the configuration names', () => {
      const ports = Object.fromEntries(
        container.ports.map(({ name, containerPort }: { name: string; containerPort: number }) => [name, containerPort]),
      );
      assert.deepEqual(ports, config.ports);
    });

    test('probes paths that the program serves', async () => {
      const broker = testBroker(noDatabase);
      const application = await operationsApplication(broker);
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
        const { statusCode } = await application.inject(container[probe].httpGet.path);
        assert.equal(statusCode, 200, probe);
      }
      await application.close();
      broker.dispose();
    });
  });
}

describe('the program', () => {
  test('has exactly the metrics that lib/metrics.ts promises, with their labels and types', async () => {
    const broker = testBroker(noDatabase);
    const actual = Object.fromEntries(
      (await broker.metrics.registry.getMetricsAsJSON())
        .filter(({ name }) => name.startsWith('mmo_broker_'))
        .map(({ name, type }) => {
          const metric = broker.metrics.registry.getSingleMetric(name) as unknown as { labelNames: string[] };
          return [name, { type: String(type), labels: [...metric.labelNames].sort() }];
        }),
    );
    const promised = Object.fromEntries(
      Object.entries(METRICS)
        .filter(([, { exporter }]) => exporter === 'connect-broker')
        .map(([name, { type, labels = [] }]) => [name, { type, labels: [...labels].sort() }]),
    );
    broker.dispose();
    assert.deepEqual(actual, promised);
  });

  test('streams events only below the paths that Traefik does not buffer', async () => {
    const broker = testBroker(noDatabase);
    const application = await publicApplication(broker);
    const document = (await application.inject('/v1/openapi.json')).json() as {
      paths: Record<string, Record<string, { responses?: Record<string, { content?: Record<string, unknown> }> }>>;
    };
    const streams = Object.entries(document.paths)
      .filter(([, methods]) =>
        Object.values(methods).some((operation) =>
          Object.values(operation.responses ?? {}).some(({ content = {} }) => 'text/event-stream' in content),
        ),
      )
      .map(([route]) => route);
    const outside = streams.filter((route) => !BROKER_STREAMING_PATHS.some((prefix) => route.startsWith(`${prefix}/`)));
    const events = Object.keys(document.paths).filter((route) => route.startsWith('/v1/events/'));
    await application.close();
    broker.dispose();
    assert.deepEqual({ outside, documented: streams.sort() }, { outside: [], documented: events.sort() });
  });

  for (const [who, open] of [
    ['players', publicApplication],
    ['game servers', internalApplication],
  ] as const) {
    test(`describes every route of ${who} in its OpenAPI document, with a summary and the problems`, async () => {
      const broker = testBroker(noDatabase);
      const application = await open(broker);
      const { paths } = (await application.inject('/v1/openapi.json')).json() as {
        paths: Record<string, Record<string, { summary?: string; responses?: { default?: { content?: object } } }>>;
      };
      const silent = Object.entries(paths).flatMap(([route, methods]) =>
        Object.entries(methods)
          .filter(([, { summary, responses }]) => !summary || !(PROBLEM_TYPE in (responses?.default?.content ?? {})))
          .map(([method]) => `${method} ${route}`),
      );
      await application.close();
      broker.dispose();
      assert.deepEqual([Object.keys(paths).length > 0, silent], [true, []]);
    });
  }

  for (const [who, open] of [
    ['players', publicApplication],
    ['game servers', internalApplication],
    ['Prometheus', operationsApplication],
  ] as const) {
    test(`has nothing for Agones on the port of ${who}`, async () => {
      const broker = testBroker(noDatabase);
      const application = await open(broker);
      const { statusCode } = await application.inject({ method: 'POST', url: `${BROKER_AUTOSCALER_PATH}/dungeon`, payload: {} });
      await application.close();
      broker.dispose();
      assert.equal(statusCode, 404);
    });
  }

  test('has nothing but the webhook on the port of the autoscaler', async () => {
    const broker = testBroker(noDatabase);
    const [players, gameServers, autoscaler] = await Promise.all([
      publicApplication(broker),
      internalApplication(broker),
      autoscalerApplication(broker),
    ]);
    const others: [string, string][] = [
      ['get', '/'],
      ['get', '/v1/openapi.json'],
      ...Object.values(BROKER_OPERATIONS).map((url): [string, string] => ['get', url]),
    ];
    for (const each of [players, gameServers]) {
      const { paths } = (await each.inject('/v1/openapi.json')).json() as { paths: Record<string, object> };
      for (const [url, methods] of Object.entries(paths)) for (const method of Object.keys(methods)) others.push([method, url]);
    }
    const answered: string[] = [];
    for (const [method, url] of others) {
      const { statusCode } = await autoscaler.inject({ method: method.toUpperCase() as 'GET', url });
      if (statusCode !== 404) answered.push(`${method} ${url}: ${statusCode}`);
    }
    const own = autoscaler.hasRoute({ method: 'POST', url: `${BROKER_AUTOSCALER_PATH}/:contentType` });
    for (const each of [players, gameServers, autoscaler]) await each.close();
    broker.dispose();
    assert.deepEqual([own, others.length > 40, answered], [true, true, []]);
  });

  test('serves the metrics where Prometheus looks', async () => {
    const broker = testBroker(noDatabase);
    const application = await operationsApplication(broker);
    const { statusCode, body } = await application.inject(BROKER_OPERATIONS.metrics);
    await application.close();
    broker.dispose();
    assert.equal(statusCode, 200);
    assert.match(body, /^mmo_broker_database_up 0$/m);
  });
});
