/**
 * Every name by which one object refers to another, with its place: what a reference check resolves and what a wave check puts in order.
 * It deliberately resolves nothing. Kinds are listed one by one; only keys of Secrets and ConfigMaps in custom resources are found by their shape (`name` beside `key`).
 */
import type { BuiltObject } from '../build';
import type { PlainObject } from '../emit/manifest';
import { serviceAddresses } from './service-addresses';
import type { CheckInput } from './types';

export interface Reference {
  readonly object: BuiltObject;
  /** Where the name is, such as `spec.template.spec.volumes[config].configMap.name`. */
  readonly field: string;
  readonly kind: string;
  /** Undefined for kinds without a namespace. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** Key of a Secret or ConfigMap. */
  readonly key?: string;
  /** Name or number of a Service's port. */
  readonly port?: string | number;
  /** Whether the object is not healthy, and so holds up its Application and all later waves, until the other is there. */
  readonly blocking: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: objects are plain data of many kinds; schemas check their shape.
type Plain = any;

const found = new WeakMap<CheckInput, readonly Reference[]>();

/** References of all objects: of pod templates first, then in the order of the objects. Collected at the first question and shared by the checks of a run. */
export function referencesOf(input: CheckInput): readonly Reference[] {
  const references = found.get(input) ?? collect(input);
  found.set(input, references);
  return references;
}

function collect(input: CheckInput): Reference[] {
  const references: Reference[] = [];
  for (const { object, path, spec } of input.podTemplates) podReferences(new Collector(object, references, true), path, spec);
  const clusterSecrets = input.built.charts.find((chart) => chart.name === 'cert-manager')?.namespace ?? 'cert-manager';
  for (const object of input.objects) {
    const { manifest } = object;
    const collector = BY_KIND.get(manifest.kind);
    if (!collector || !isOfGroup(manifest.apiVersion, collector.group)) continue;
    collector.collect(new Collector(object, references, false), manifest.spec ?? {}, manifest, clusterSecrets);
  }
  return references;
}

/** Whether `apps/v1` is of the group `apps`; the core group is the empty text. */
function isOfGroup(apiVersion: string, group: string): boolean {
  return group === '' ? !apiVersion.includes('/') : apiVersion.startsWith(group) && apiVersion[group.length] === '/';
}

class Collector {
  readonly namespace: string | undefined;

  constructor(
    private readonly object: BuiltObject,
    private readonly references: Reference[],
    private readonly blocking: boolean,
  ) {
    this.namespace = object.manifest.metadata.namespace;
  }

  /** @param options.namespace default: the object's own; `null` for kinds without one */
  add(
    kind: string,
    name: unknown,
    field: string,
    options: { namespace?: string | null; key?: unknown; port?: unknown; optional?: unknown; blocking?: boolean } = {},
  ): void {
    if (typeof name !== 'string' || name === '' || options.optional === true) return;
    const { namespace = this.namespace, key, port, blocking = this.blocking } = options;
    this.references.push({
      object: this.object,
      field,
      kind,
      namespace: namespace ?? undefined,
      name,
      ...(typeof key === 'string' ? { key } : {}),
      ...(typeof port === 'string' || typeof port === 'number' ? { port } : {}),
      blocking,
    });
  }

  /** Secrets and ConfigMaps named by `{name, key}` anywhere below a value, except fields whose Secret the operator makes. */
  keys(value: Plain, field: string, options: { namespace?: string; blocking?: boolean } = {}, parent = ''): void {
    if (value !== null && typeof value === 'object') this.keysWithin(value, field, options, parent);
  }

  /** Maps and lists only, because a place is written for each. */
  private keysWithin(value: Plain, field: string, options: { namespace?: string; blocking?: boolean }, parent: string): void {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        const item = value[index];
        if (item !== null && typeof item === 'object') this.keysWithin(item, `${field}[${label(item, index)}]`, options, parent);
      }
      return;
    }
    if (MADE_BY_OPERATOR.has(parent)) return;
    if (typeof value.name === 'string' && typeof value.key === 'string') {
      this.add(/configmap/i.test(parent) ? 'ConfigMap' : 'Secret', value.name, `${field}.name`, {
        ...options,
        key: value.key,
        optional: value.optional,
      });
      return;
    }
    for (const name in value) {
      const inner = value[name];
      if (inner !== null && typeof inner === 'object') this.keysWithin(inner, `${field}.${name}`, options, name);
    }
  }
}

/** Fields whose Secret cert-manager itself makes: an ACME account's key. */
const MADE_BY_OPERATOR = new Set(['privateKeySecretRef']);

function podReferences(to: Collector, path: string, spec: Plain): void {
  to.add('ServiceAccount', spec.serviceAccountName, `${path}.serviceAccountName`);
  if (typeof spec.priorityClassName === 'string' && !spec.priorityClassName.startsWith('system-')) {
    to.add('PriorityClass', spec.priorityClassName, `${path}.priorityClassName`, { namespace: null });
  }
  each(spec.imagePullSecrets, `${path}.imagePullSecrets`, (item, at) => to.add('Secret', item.name, `${at}.name`));
  each(spec.volumes, `${path}.volumes`, (volume, at) => volumeReferences(to, volume, at));
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    each(spec[list], `${path}.${list}`, (container, at) => environmentReferences(to, container, at));
  }
}

function volumeReferences(to: Collector, volume: Plain, at: string): void {
  if (volume.secret) withItems(to, 'Secret', volume.secret.secretName, `${at}.secret.secretName`, volume.secret, `${at}.secret`);
  if (volume.configMap) withItems(to, 'ConfigMap', volume.configMap.name, `${at}.configMap.name`, volume.configMap, `${at}.configMap`);
  each(volume.projected?.sources, `${at}.projected.sources`, (source, place) => {
    if (source.secret) withItems(to, 'Secret', source.secret.name, `${place}.secret.name`, source.secret, `${place}.secret`);
    if (source.configMap)
      withItems(to, 'ConfigMap', source.configMap.name, `${place}.configMap.name`, source.configMap, `${place}.configMap`);
  });
  if (volume.persistentVolumeClaim)
    to.add('PersistentVolumeClaim', volume.persistentVolumeClaim.claimName, `${at}.persistentVolumeClaim.claimName`);
  if (volume.csi?.nodePublishSecretRef) to.add('Secret', volume.csi.nodePublishSecretRef.name, `${at}.csi.nodePublishSecretRef.name`);
}

function withItems(to: Collector, kind: string, name: unknown, field: string, source: Plain, at: string): void {
  const { optional } = source;
  if (!Array.isArray(source.items)) to.add(kind, name, field, { optional });
  each(source.items, `${at}.items`, (item, place) => to.add(kind, name, `${place}.key`, { key: item.key, optional }));
}

function environmentReferences(to: Collector, container: Plain, at: string): void {
  each(container.envFrom, `${at}.envFrom`, (source, place) => {
    if (source.secretRef)
      to.add('Secret', source.secretRef.name, `${place}.secretRef.name`, source.secretRef.optional ? { optional: true } : {});
    if (source.configMapRef)
      to.add('ConfigMap', source.configMapRef.name, `${place}.configMapRef.name`, source.configMapRef.optional ? { optional: true } : {});
  });
  // Most variables refer to nothing: their places are not even written.
  const referring = (container.env ?? []).filter(({ valueFrom }: Plain) => valueFrom?.secretKeyRef || valueFrom?.configMapKeyRef);
  each(referring, `${at}.env`, ({ valueFrom: { secretKeyRef, configMapKeyRef } }, place) => {
    if (secretKeyRef) to.add('Secret', secretKeyRef.name, `${place}.valueFrom.secretKeyRef.name`, secretKeyRef);
    if (configMapKeyRef) to.add('ConfigMap', configMapKeyRef.name, `${place}.valueFrom.configMapKeyRef.name`, configMapKeyRef);
  });
}

type Collect = (to: Collector, spec: Plain, manifest: PlainObject, clusterSecrets: string) => void;

const TRAEFIK = 'traefik.io';
const CERT_MANAGER = 'cert-manager.io';
const CNPG = 'postgresql.cnpg.io';

const route: Collect = (to, spec) => {
  if (spec.tls?.secretName) to.add('Secret', spec.tls.secretName, 'spec.tls.secretName');
  if (spec.tls?.options) to.add('TLSOption', spec.tls.options.name, 'spec.tls.options.name', within(spec.tls.options));
  if (spec.tls?.store) to.add('TLSStore', spec.tls.store.name, 'spec.tls.store.name', within(spec.tls.store));
  each(spec.routes, 'spec.routes', (rule, at) => {
    each(rule.middlewares, `${at}.middlewares`, (item, place) => to.add('Middleware', item.name, `${place}.name`, within(item)));
    each(rule.services, `${at}.services`, (item, place) => traefikService(to, item, place));
  });
};

function traefikService(to: Collector, item: Plain, at: string): void {
  const { namespace } = item;
  if (item.kind === 'TraefikService') {
    // Names with an @ are Traefik's own, such as api@internal.
    if (!String(item.name).includes('@')) to.add('TraefikService', item.name, `${at}.name`, { namespace });
  } else to.add('Service', item.name, `${at}.name`, { namespace, port: item.port });
  if (typeof item.serversTransport === 'string' && !item.serversTransport.includes('@')) {
    to.add('ServersTransport', item.serversTransport, `${at}.serversTransport`, { namespace });
  }
}

const issuer =
  (isCluster: boolean): Collect =>
  (to, spec, manifest, clusterSecrets) => {
    const options = { namespace: isCluster ? clusterSecrets : (manifest.metadata.namespace ?? ''), blocking: true };
    if (spec.ca) to.add('Secret', spec.ca.secretName, 'spec.ca.secretName', { ...options, key: 'tls.crt' });
    to.keys(spec, 'spec', options);
  };

const monitor: Collect = (to, spec) => to.keys(spec, 'spec');

const subjects: Collect = (to, _spec, manifest) => {
  const { roleRef } = manifest;
  if (roleRef && !isBuiltInRole(roleRef)) {
    to.add(roleRef.kind, roleRef.name, 'roleRef.name', { namespace: roleRef.kind === 'ClusterRole' ? null : undefined });
  }
  each(manifest.subjects, 'subjects', (subject, at) => {
    if (subject.kind === 'ServiceAccount') to.add('ServiceAccount', subject.name, `${at}.name`, { namespace: subject.namespace });
  });
};

/** ClusterRoles that every cluster has. */
function isBuiltInRole({ kind, name }: { kind: string; name: string }): boolean {
  return kind === 'ClusterRole' && (['cluster-admin', 'admin', 'edit', 'view'].includes(name) || String(name).startsWith('system:'));
}

/** What each kind refers to, by `<group>/<Kind>`; pod templates are read for every workload alike. */
const COLLECTORS: Readonly<Record<string, Collect>> = {
  'apps/StatefulSet': (to, spec) => to.add('Service', spec.serviceName, 'spec.serviceName'),
  '/ServiceAccount': (to, _spec, manifest) => {
    each(manifest.imagePullSecrets, 'imagePullSecrets', (item, at) => to.add('Secret', item.name, `${at}.name`));
    each(manifest.secrets, 'secrets', (item, at) => to.add('Secret', item.name, `${at}.name`));
  },
  'autoscaling/HorizontalPodAutoscaler': (to, spec) =>
    to.add(spec.scaleTargetRef?.kind, spec.scaleTargetRef?.name, 'spec.scaleTargetRef.name', { blocking: true }),
  'rbac.authorization.k8s.io/RoleBinding': subjects,
  'rbac.authorization.k8s.io/ClusterRoleBinding': subjects,

  [`${TRAEFIK}/IngressRoute`]: route,
  [`${TRAEFIK}/IngressRouteTCP`]: route,
  [`${TRAEFIK}/IngressRouteUDP`]: route,
  [`${TRAEFIK}/Middleware`]: (to, spec) => {
    for (const kind of ['basicAuth', 'digestAuth']) to.add('Secret', spec[kind]?.secret, `spec.${kind}.secret`);
    for (const field of ['caSecret', 'certSecret']) to.add('Secret', spec.forwardAuth?.tls?.[field], `spec.forwardAuth.tls.${field}`);
    each(spec.chain?.middlewares, 'spec.chain.middlewares', (item, at) => to.add('Middleware', item.name, `${at}.name`, within(item)));
    if (spec.errors?.service) traefikService(to, spec.errors.service, 'spec.errors.service');
  },
  [`${TRAEFIK}/TLSOption`]: (to, spec) => names(to, 'Secret', spec.clientAuth?.secretNames, 'spec.clientAuth.secretNames'),
  [`${TRAEFIK}/TLSStore`]: (to, spec) => {
    to.add('Secret', spec.defaultCertificate?.secretName, 'spec.defaultCertificate.secretName');
    each(spec.certificates, 'spec.certificates', (item, at) => to.add('Secret', item.secretName, `${at}.secretName`));
  },
  [`${TRAEFIK}/ServersTransport`]: (to, spec) => {
    each(spec.rootCAs, 'spec.rootCAs', (item, at) => {
      to.add('Secret', item.secret, `${at}.secret`);
      to.add('ConfigMap', item.configMap, `${at}.configMap`);
    });
    names(to, 'Secret', spec.certificatesSecrets, 'spec.certificatesSecrets');
    names(to, 'Secret', spec.rootCAsSecrets, 'spec.rootCAsSecrets');
  },

  [`${CERT_MANAGER}/Certificate`]: (to, spec) => {
    const { kind = 'Issuer', name, group = CERT_MANAGER } = spec.issuerRef ?? {};
    if (group === CERT_MANAGER)
      to.add(kind, name, 'spec.issuerRef.name', { namespace: kind === 'ClusterIssuer' ? null : undefined, blocking: true });
    to.keys(spec.keystores, 'spec.keystores', { blocking: true });
  },
  [`${CERT_MANAGER}/Issuer`]: issuer(false),
  [`${CERT_MANAGER}/ClusterIssuer`]: issuer(true),

  [`${CNPG}/Cluster`]: (to, spec) => {
    const blocking = { blocking: true };
    for (const way of ['initdb', 'recovery', 'pg_basebackup'])
      to.add('Secret', spec.bootstrap?.[way]?.secret?.name, `spec.bootstrap.${way}.secret.name`, blocking);
    to.add('Secret', spec.superuserSecret?.name, 'spec.superuserSecret.name', blocking);
    to.add('PriorityClass', spec.priorityClassName, 'spec.priorityClassName', { namespace: null });
    for (const field of ['serverTLSSecret', 'serverCASecret', 'clientCASecret', 'replicationTLSSecret']) {
      const key = field.endsWith('TLSSecret') ? 'tls.crt' : 'ca.crt';
      to.add('Secret', spec.certificates?.[field], `spec.certificates.${field}`, { ...blocking, key });
    }
    each(spec.managed?.roles, 'spec.managed.roles', (role, at) =>
      to.add('Secret', role.passwordSecret?.name, `${at}.passwordSecret.name`, { ...blocking, key: 'password' }),
    );
    each(spec.imagePullSecrets, 'spec.imagePullSecrets', (item, at) => to.add('Secret', item.name, `${at}.name`, blocking));
    each(spec.plugins, 'spec.plugins', (plugin, at) =>
      to.add('ObjectStore', plugin.parameters?.barmanObjectName, `${at}.parameters.barmanObjectName`, blocking),
    );
    each(spec.externalClusters, 'spec.externalClusters', (source, at) =>
      to.add('ObjectStore', source.plugin?.parameters?.barmanObjectName, `${at}.plugin.parameters.barmanObjectName`, blocking),
    );
    each(spec.envFrom, 'spec.envFrom', (source, at) => {
      to.add('Secret', source.secretRef?.name, `${at}.secretRef.name`, { ...blocking, optional: source.secretRef?.optional });
      to.add('ConfigMap', source.configMapRef?.name, `${at}.configMapRef.name`, { ...blocking, optional: source.configMapRef?.optional });
    });
    to.keys(spec, 'spec', blocking);
  },
  [`${CNPG}/Database`]: (to, spec) => to.add('Cluster', spec.cluster?.name, 'spec.cluster.name', { blocking: true }),
  [`${CNPG}/DatabaseRole`]: (to, spec) => {
    to.add('Cluster', spec.cluster?.name, 'spec.cluster.name', { blocking: true });
    to.add('Secret', spec.passwordSecret?.name, 'spec.passwordSecret.name', { blocking: true, key: 'password' });
  },
  [`${CNPG}/ScheduledBackup`]: (to, spec) => to.add('Cluster', spec.cluster?.name, 'spec.cluster.name', { blocking: true }),
  'barmancloud.cnpg.io/ObjectStore': (to, spec) => to.keys(spec, 'spec'),

  'k8up.io/Schedule': (to, spec) => {
    to.keys(spec, 'spec');
    to.add('PodConfig', spec.podConfigRef?.name, 'spec.podConfigRef.name');
    for (const part of ['archive', 'backup', 'check', 'prune', 'restore']) {
      to.add('PodConfig', spec[part]?.podConfigRef?.name, `spec.${part}.podConfigRef.name`);
      k8upEnvironment(to, spec[part]?.backend, `spec.${part}.backend`);
    }
    k8upEnvironment(to, spec.backend, 'spec.backend');
  },
  'k8up.io/PodConfig': (to, spec) => podReferences(to, 'spec.template.spec', spec.template?.spec ?? {}),

  'monitoring.coreos.com/ServiceMonitor': monitor,
  'monitoring.coreos.com/PodMonitor': monitor,

  'metallb.io/L2Advertisement': (to, spec) => names(to, 'IPAddressPool', spec.ipAddressPools, 'spec.ipAddressPools'),

  'autoscaling.agones.dev/FleetAutoscaler': (to, spec) => {
    to.add('Fleet', spec.fleetName, 'spec.fleetName', { blocking: true });
    policyReferences(to, spec.policy, 'spec.policy');
  },
};

/** The same by kind alone, which is what a look-up for thousands of objects can afford; no two of the kinds above have the same name. */
const BY_KIND = new Map(
  Object.entries(COLLECTORS).map(([id, collect]) => {
    const [group = '', kind = ''] = id.split('/');
    return [kind, { group, collect }];
  }),
);

function k8upEnvironment(to: Collector, backend: Plain, at: string): void {
  each(backend?.envFrom, `${at}.envFrom`, (source, place) => {
    to.add('Secret', source.secretRef?.name, `${place}.secretRef.name`, { optional: source.secretRef?.optional });
    to.add('ConfigMap', source.configMapRef?.name, `${place}.configMapRef.name`, { optional: source.configMapRef?.optional });
  });
}

/** Where Agones calls a webhook whose port is not said (pkg/fleetautoscalers). */
const AGONES_WEBHOOK_PORT = 8000;

/** Policies nest: a chain and a schedule hold others. */
function policyReferences(to: Collector, policy: Plain, at: string): void {
  if (!policy) return;
  const service = policy.webhook?.service;
  if (service)
    to.add('Service', service.name, `${at}.webhook.service.name`, {
      namespace: service.namespace ?? 'default',
      port: service.port ?? AGONES_WEBHOOK_PORT,
    });
  const url = policy.webhook?.url;
  for (const { namespace, name, port = String(url).startsWith('https:') ? 443 : 80 } of serviceAddresses(url))
    to.add('Service', name, `${at}.webhook.url`, { namespace, port });
  if (policy.schedule?.policy) policyReferences(to, policy.schedule.policy, `${at}.schedule.policy`);
  each(policy.chain, `${at}.chain`, (entry, place) => policyReferences(to, entry, place));
}

function within(reference: Plain): { namespace?: string } {
  return typeof reference.namespace === 'string' ? { namespace: reference.namespace } : {};
}

function names(to: Collector, kind: string, list: Plain, field: string): void {
  if (!Array.isArray(list)) return;
  for (const [index, name] of list.entries()) to.add(kind, name, `${field}[${index}]`);
}

function each(list: Plain, field: string, visit: (item: Plain, at: string) => void): void {
  if (!Array.isArray(list)) return;
  for (let index = 0; index < list.length; index += 1) visit(list[index] ?? {}, `${field}[${label(list[index], index)}]`);
}

/** An entry by its name, so that the place stays the same when another entry is added. */
export function label(item: Plain, index: number): string {
  return typeof item?.name === 'string' && item.name !== ''
    ? item.name
    : typeof item?.id === 'string' && item.id !== ''
      ? item.id
      : String(index);
}
