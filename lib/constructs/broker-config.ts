/**
 * The connect broker's configuration out of the cluster's model, in the shape that lib/broker-contract.ts fixes.
 * It deliberately makes no object: the chart puts the result into a ConfigMap.
 */
import {
  BROKER_DATABASE_CONNECTIONS,
  BROKER_FILES,
  BROKER_SHUTDOWN_SECONDS,
  BROKER_TOKEN_SECONDS,
  type BrokerConfig,
  type BrokerEndpoint,
  type BrokerRealm,
} from '../broker-contract';
import type { Cluster, Continent, Realm } from '../model/cluster';
import { BROKER_AUDIENCE, BROKER_PORTS, DATABASE, NAMESPACES, POSTGRES_PORT } from '../platform';
import { databaseHost } from './postgres';

/** What the broker keeps without being told; the file names what differs. */
const AUDIT_RETENTION_DAYS = 366;

/** Realms that players can enter: at least one continent is active. Retired continents are left out, because nothing serves them. */
export function activeRealms(cluster: Cluster): readonly Realm[] {
  return cluster.realms
    .map((realm) => ({ ...realm, continents: realm.continents.filter((continent) => continent.state === 'active') }))
    .filter((realm) => realm.state === 'active' && realm.continents.length > 0);
}

export function brokerConfig(cluster: Cluster): BrokerConfig {
  const { publicAddress } = cluster.network;
  return {
    publicUrl: `https://${cluster.hosts.broker}`,
    registration: cluster.broker.registration,
    ports: BROKER_PORTS,
    trustedProxyHops: 1,
    shutdown: { drainSeconds: BROKER_SHUTDOWN_SECONDS.drain },
    database: {
      host: databaseHost(cluster),
      port: POSTGRES_PORT,
      name: DATABASE.database,
      applicationRole: DATABASE.application,
      credentialsDirectory: BROKER_FILES.databaseCredentials,
      caFile: BROKER_FILES.databaseCa,
      poolSize: BROKER_DATABASE_CONNECTIONS.pool,
    },
    sessions: { keysDirectory: BROKER_FILES.sessionKeys },
    tokens: {
      keysDirectory: BROKER_FILES.netcodeKeys,
      lifetimeSeconds: BROKER_TOKEN_SECONDS.lifetime,
      timeoutSeconds: BROKER_TOKEN_SECONDS.timeout,
    },
    game: {
      protocolId: cluster.game.protocolId,
      build: cluster.game.build,
      ...(cluster.game.downloadUrl === undefined ? {} : { downloadUrl: cluster.game.downloadUrl }),
    },
    kubernetes: {
      audience: BROKER_AUDIENCE,
      ...(cluster.instances.length > 0 ? { instancesNamespace: NAMESPACES.instances } : {}),
    },
    nodes: cluster.nodes.map((node) => {
      const address = node.publicAddress ?? publicAddress;
      return { name: node.name, lan: node.address, ...(address ? { public: address } : {}) };
    }),
    realms: activeRealms(cluster).map(
      (realm): BrokerRealm => ({
        name: realm.name,
        title: realm.title,
        namespace: realm.namespace,
        ...(realm.sleep === undefined ? {} : { sleepAfterMinutes: realm.sleep.afterMinutes }),
        continents: realm.continents.map((continent) => {
          const endpoint = publicEndpoint(cluster, realm, continent);
          return {
            name: continent.name,
            title: continent.title,
            capacity: continent.capacity,
            lan: { address: continent.lanAddress, port: continent.port },
            ...(endpoint ? { public: endpoint } : {}),
          };
        }),
      }),
    ),
    instances: cluster.instances.map(({ name, title, capacity, rooms, difficulties, lifetimeMinutes }) => ({
      name,
      title,
      capacity,
      rooms,
      ...(difficulties.length > 0 ? { difficulties } : {}),
      lifetimeSeconds: lifetimeMinutes * 60,
    })),
    ...(cluster.broker.openId.length === 0
      ? {}
      : {
          openId: cluster.broker.openId.map((provider) => ({ ...provider, clientSecretFile: `${BROKER_FILES.openId}/${provider.name}` })),
        }),
    ...(cluster.broker.auditRetentionDays === AUDIT_RETENTION_DAYS ? {} : { audit: { retentionDays: cluster.broker.auditRetentionDays } }),
    ...(cluster.broker.mail === undefined ? {} : { mail: { from: cluster.broker.mail.from, smtpUrlFile: BROKER_FILES.smtpUrl } }),
  };
}

/**
 * Where players on the Internet reach a continent: the home's address, or that of the node whose port is used. The router forwards the port unchanged.
 * Undefined without a public address.
 */
export function publicEndpoint(cluster: Cluster, realm: Realm, continent: Continent): BrokerEndpoint | undefined {
  const node = realm.exposure.type === 'host-port' ? cluster.nodes.find(({ name }) => name === continent.node) : undefined;
  const address = node?.publicAddress ?? cluster.network.publicAddress;
  return address === undefined ? undefined : { address, port: continent.port };
}
