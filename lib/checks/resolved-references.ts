/**
 * Every name by which one object refers to another is the name of something that this cluster will have: an object of ours, one that an upstream chart is recorded to render, or one that an operator makes.
 * It deliberately does not ask in which order they come (earlier-wave does) nor what label selectors select (resolved-selectors does).
 */
import type { BuiltObject } from '../build';
import { type Finding, list, nearest, reported } from './finding';
import { type Inventory, inventoryOf, type KnownData } from './inventory';
import { label, type Reference, referencesOf } from './references';
import { addressTexts, serviceAddresses, visitTexts } from './service-addresses';
import type { Check, CheckInput, PodTemplate } from './types';

export const resolvedReferences: Check = {
  id: 'resolved-references',
  why: 'Kubernetes takes an object that refers to nothing and says so only later: pods wait in CreateContainerConfigError, routes answer 404, certificates are never issued, and later waves of Argo CD wait for all of them.',
  run: (input) => {
    const inventory = inventoryOf(input);
    return reported(resolvedReferences, input, [
      ...namespaces(input, inventory),
      ...referencesOf(input).flatMap((reference) => unresolved(input, inventory, reference)),
      ...chartSecrets(input, inventory),
      ...addresses(input, inventory),
      ...input.podTemplates.flatMap(podPorts),
      ...targetPorts(input, inventory),
    ]);
  },
};

function namespaces(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  for (const by of input.objects) {
    const { kind, metadata, spec } = by.manifest;
    if (metadata.namespace && !inventory.hasNamespace(metadata.namespace)) {
      findings.push({ by, field: 'metadata.namespace', ...undeclared(input, metadata.namespace) });
    }
    const destination = kind === 'Application' ? spec?.destination?.namespace : undefined;
    if (destination && !inventory.hasNamespace(destination))
      findings.push({ by, field: 'spec.destination.namespace', ...undeclared(input, destination) });
  }
  return findings;
}

function undeclared(input: CheckInput, namespace: string): { message: string; fix: string } {
  return {
    message: `The namespace '${namespace}' is declared by no component.`,
    fix: `Declare it in the component's 'namespaces', or correct the name${nearest(
      namespace,
      input.ofKind('Namespace').map(({ manifest }) => manifest.metadata.name),
    )}.`,
  };
}

function unresolved(input: CheckInput, inventory: Inventory, reference: Reference): Finding[] {
  const { kind, namespace, name } = reference;
  switch (kind) {
    case 'Secret':
      return data(input, reference, inventory.secret(namespace ?? '', name));
    case 'ConfigMap':
      return data(input, reference, inventory.configMap(namespace ?? '', name));
    case 'ServiceAccount':
      return inventory.hasServiceAccount(namespace ?? '', name) ? [] : [missing(input, reference)];
    case 'Service':
      return service(input, inventory, reference);
    default: {
      if (input.find(kind, namespace, name)) return [];
      return [missing(input, reference)];
    }
  }
}

function data(input: CheckInput, reference: Reference, known: KnownData | undefined): Finding[] {
  if (!known) return [missing(input, reference)];
  const { object: by, field, kind, namespace, name, key } = reference;
  if (key === undefined || known.keys === 'unknown' || known.keys.has(key)) return [];
  const keys = [...known.keys].sort();
  return [
    {
      by,
      field,
      message: `${kind} ${namespace}/${name} has no key '${key}'; it has ${list(keys)}.`,
      fix: `Add the key where the ${kind} is declared, or name one that it has${nearest(key, keys)}.`,
    },
  ];
}

function service(input: CheckInput, inventory: Inventory, reference: Reference): Finding[] {
  const { object: by, field, namespace = '', name, port } = reference;
  const known = inventory.service(namespace, name);
  if (!known) return [missing(input, reference)];
  if (port === undefined || known.ports.some((each) => each.port === port || each.name === port)) return [];
  // Traefik takes a headless Service's number as the pod's port.
  if (known.object?.manifest.spec?.type === 'ExternalName') return [];
  const ports = known.ports.map((each) => (each.name ? `${each.name} (${each.port})` : String(each.port)));
  return [
    {
      by,
      field,
      message: `Service ${namespace}/${name} has no port '${port}'; it has ${list(ports)}.`,
      fix: `Name one of the Service's own ports (not the container's), or add the port to the Service.`,
    },
  ];
}

function missing(input: CheckInput, reference: Reference): Finding {
  const { object: by, field, kind, namespace, name } = reference;
  const target = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  const elsewhere = input
    .ofKind(kind)
    .filter(({ manifest }) => manifest.metadata.name === name && manifest.metadata.namespace !== namespace);
  const siblings = input
    .ofKind(kind)
    .filter(({ manifest }) => manifest.metadata.namespace === namespace)
    .map(({ manifest }) => manifest.metadata.name);
  const hint =
    elsewhere.length > 0
      ? `; one of that name is in namespace ${list(elsewhere.map(({ manifest }) => `'${manifest.metadata.namespace}'`))}, which cannot be used from here`
      : nearest(name, siblings);
  return {
    by,
    field,
    message: `${target} does not exist: no component makes it and no enabled chart is recorded to.`,
    fix: `${HOW_TO_MAKE[kind] ?? `Add the ${kind}`}, or correct the name${hint}.`,
  };
}

const HOW_TO_MAKE: Readonly<Record<string, string>> = {
  Secret: "Declare the Secret with the context's secret(), or have a Certificate make it",
  Service: "Add the Service, or record it in the chart's entry in argocd/catalog",
  ServiceAccount: "Add the ServiceAccount, or record it in the chart's entry in argocd/catalog",
};

/** Secrets that the values of an upstream chart name. */
function chartSecrets(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  for (const chart of input.built.charts) {
    const by = input.ofKind('Application').find(({ manifest }) => manifest.metadata.name === chart.name);
    if (!by) continue;
    for (const [id, keys] of Object.entries(chart.secrets?.(input.built.cluster) ?? {})) {
      const [namespace = '', name = ''] = id.split('/');
      const known = inventory.secret(namespace, name);
      const lacking = known && known.keys !== 'unknown' ? keys.filter((key) => !(known.keys as ReadonlySet<string>).has(key)) : [];
      if (known && lacking.length === 0) continue;
      findings.push({
        by,
        field: 'spec.source.helm.valuesObject',
        message: known
          ? `The values of chart '${chart.name}' name Secret ${id} with the key${lacking.length > 1 ? 's' : ''} ${list(lacking.map((key) => `'${key}'`))}, which it does not have.`
          : `The values of chart '${chart.name}' name Secret ${id}, which does not exist: no component makes it.`,
        fix: `Declare it with the context's secret() in an Application that chart '${chart.name}' needs, with the keys ${list(keys.map((key) => `'${key}'`))}.`,
      });
    }
  }
  return findings;
}

/** The annotation of webhooks whose authority cert-manager fills in, `<namespace>/<Certificate>`. */
const INJECT = 'cert-manager.io/inject-ca-from';

/** Addresses in configuration: data of ConfigMaps, environment and arguments of containers, values of charts. */
function addresses(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  // Every world has the broker's address: a text that resolves is read once.
  const resolved = new Set<string>();
  const scan = (by: BuiltObject, field: string, text: unknown): void => {
    if (typeof text !== 'string' || !text.includes('.svc') || resolved.has(text)) return;
    const before = findings.length;
    for (const { text: address, name, namespace, port } of serviceAddresses(text)) {
      const known = inventory.service(namespace, name);
      if (known && (port === undefined || known.ports.some((each) => each.port === port) || isHeadless(known.object))) continue;
      findings.push({
        by,
        field,
        message: known
          ? `It names the address '${address}', but Service ${namespace}/${name} has no port ${port}; it has ${list(known.ports.map((each) => String(each.port)))}.`
          : `It names the address '${address}', but there is no Service ${namespace}/${name}.`,
        fix: 'Correct the address, or take it from a constant that the Service is made from as well.',
      });
    }
    if (findings.length === before) resolved.add(text);
  };
  for (const by of input.ofKind('ConfigMap')) {
    const { data } = by.manifest;
    for (const key in data) if (String(data[key]).includes('.svc')) scan(by, `data[${key}]`, data[key]);
  }
  for (const template of input.podTemplates) {
    for (const { field, text } of addressTexts(template)) scan(template.object, field, text);
  }
  for (const by of input.ofKind('Application')) {
    const values = by.manifest.spec?.source?.helm?.valuesObject;
    if (values !== undefined) {
      visitTexts(values, 'spec.source.helm.valuesObject', (field, text) => {
        scan(by, field, text);
        if (!field.endsWith(`.${INJECT}`)) return;
        const [namespace = '', name = ''] = text.split('/');
        if (input.find('Certificate', namespace, name)) return;
        findings.push({
          by,
          field,
          message: `It names Certificate ${text}, which does not exist.`,
          fix: 'Add the Certificate in an Application that the chart needs, or correct the name.',
        });
      });
    }
  }
  return findings;
}

export function isHeadless(service: BuiltObject | undefined): boolean {
  return service?.manifest.spec?.clusterIP === 'None';
}

/** Ports that probes and hooks name are ports of the container. */
function podPorts({ object: by, path, spec }: PodTemplate): Finding[] {
  const findings: Finding[] = [];
  for (const kind of ['containers', 'initContainers']) {
    (spec[kind] ?? []).forEach((container: Container, index: number) => {
      const at = `${path}.${kind}[${label(container, index)}]`;
      const names = (container.ports ?? []).map((port) => port.name).filter((name) => name !== undefined);
      for (const [place, handler] of handlers(container)) {
        const port = handler?.httpGet?.port ?? handler?.tcpSocket?.port;
        const field = `${at}.${place}.${handler?.httpGet ? 'httpGet' : 'tcpSocket'}.port`;
        if (typeof port === 'string' && !names.includes(port)) {
          findings.push({
            by,
            field,
            message: `The container '${container.name}' has no port named '${port}'; it has ${list(names)}.`,
            fix: `Name a port of this container${nearest(port, names)}, or add it to the container's ports.`,
          });
        }
      }
    });
  }
  return findings;
}

interface Handler {
  readonly httpGet?: { readonly port?: string | number };
  readonly tcpSocket?: { readonly port?: string | number };
}

interface Container {
  readonly name?: string;
  readonly ports?: readonly { readonly name?: string }[];
  readonly lifecycle?: { readonly preStop?: Handler; readonly postStart?: Handler };
  readonly startupProbe?: Handler;
  readonly readinessProbe?: Handler;
  readonly livenessProbe?: Handler;
}

function handlers({ startupProbe, readinessProbe, livenessProbe, lifecycle }: Container): [string, Handler | undefined][] {
  return [
    ['startupProbe', startupProbe],
    ['readinessProbe', readinessProbe],
    ['livenessProbe', livenessProbe],
    ['lifecycle.preStop', lifecycle?.preStop],
    ['lifecycle.postStart', lifecycle?.postStart],
  ];
}

/** Ports that Services send to, and that monitors read, are ports of the pods and Services that they select. */
function targetPorts(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  for (const by of input.ofKind('Service')) {
    const { metadata, spec } = by.manifest;
    if (!spec?.selector) continue;
    const pods = inventory.podsIn(metadata.namespace ?? '', { matchLabels: spec.selector });
    if (pods.length === 0) continue;
    (spec.ports ?? []).forEach((port: { name?: string; port: number; targetPort?: string | number }, index: number) => {
      const target = port.targetPort ?? port.port;
      if (pods.some(({ ports }) => ports.some((each) => each.name === target || each.port === target))) return;
      findings.push({
        by,
        field: `spec.ports[${label(port, index)}].${port.targetPort === undefined ? 'port' : 'targetPort'}`,
        message: `No container of ${list(pods.map(({ owner }) => owner))} has the port '${target}'.`,
        fix: `Name a port of the container, by name or number; there ${list(pods.flatMap(({ ports }) => ports.map((each) => each.name ?? String(each.port))))} would do.`,
      });
    });
  }
  for (const by of input.ofKind('ServiceMonitor')) {
    const selected = monitored(by, inventory).flatMap((namespace) => inventory.servicesIn(namespace, by.manifest.spec?.selector ?? {}));
    const ports = selected.flatMap((service) => service.ports.map((port) => port.name));
    (by.manifest.spec?.endpoints ?? []).forEach((endpoint: { port?: string }, index: number) => {
      if (selected.length === 0 || endpoint.port === undefined || ports.includes(endpoint.port)) return;
      findings.push({
        by,
        field: `spec.endpoints[${index}].port`,
        message: `None of the Services that it selects (${list(selected.map(({ name }) => name))}) has a port named '${endpoint.port}'.`,
        fix: `Name a port of the Service by its name; it has ${list(ports.map(String))}.`,
      });
    });
  }
  for (const by of input.ofKind('PodMonitor')) {
    const selected = monitored(by, inventory).flatMap((namespace) => inventory.podsIn(namespace, by.manifest.spec?.selector ?? {}));
    const ports = selected.flatMap((pods) => pods.ports.map((port) => port.name)).filter((name) => name !== undefined);
    (by.manifest.spec?.podMetricsEndpoints ?? []).forEach((endpoint: { port?: string }, index: number) => {
      if (selected.length === 0 || endpoint.port === undefined || ports.includes(endpoint.port)) return;
      findings.push({
        by,
        field: `spec.podMetricsEndpoints[${index}].port`,
        message: `None of the pods that it selects (${list(selected.map(({ owner }) => owner))}) has a port named '${endpoint.port}'.`,
        fix: `Name a port of the container by its name; there ${list([...new Set(ports)])} would do.`,
      });
    });
  }
  return findings;
}

/** Namespaces that a monitor of the prometheus-operator looks at: its own unless it says more. */
export function monitored({ manifest: { metadata, spec } }: BuiltObject, inventory: Inventory): readonly string[] {
  const selector = spec?.namespaceSelector;
  if (selector?.any === true) return inventory.namespaces({});
  return selector?.matchNames ?? [metadata.namespace ?? ''];
}
