/**
 * Everything that references and selectors of a cluster can mean, indexed once: objects of ours, what upstream charts are recorded to render, and what operators make.
 * It deliberately judges nothing: checks ask it and say what is wrong.
 */
import type { BuiltObject } from '../build';
import { type KnownLabels, LabelIndex, type LabelSelector } from './label-index';
import { GAME_SERVER_LABELS, type KnownPort, operatorRules } from './operator-pods';
import type { CheckInput, PodTemplate } from './types';

/** Pods of one workload, whoever makes them. */
export interface KnownPods {
  /** What makes them, as sentences name it: `Deployment connect-broker/connect-broker`, `traefik of chart traefik`. */
  readonly owner: string;
  readonly namespace: string;
  readonly labels: KnownLabels;
  readonly ports: readonly KnownPort[];
  readonly hostNetwork: boolean;
  /** The object of ours that they come from: the workload itself, or the custom resource whose operator makes them. */
  readonly object?: BuiltObject;
  /** The workload's template, when an object of ours holds it. */
  readonly template?: PodTemplate;
  /** Name of the upstream chart, when one renders them. */
  readonly chart?: string;
}

export interface KnownService {
  readonly namespace: string;
  readonly name: string;
  readonly labels: KnownLabels;
  readonly ports: readonly KnownPort[];
  readonly object?: BuiltObject;
  /** Name of the upstream chart, when one renders it. */
  readonly chart?: string;
}

/** Keys of a Secret or ConfigMap, or `unknown` when only its existence is recorded. Made by: the Application that has to be synced before it is there. */
export interface KnownData {
  readonly keys: ReadonlySet<string> | 'unknown';
  /** The object that becomes the Secret or is the ConfigMap. @default an upstream chart renders it */
  readonly object?: BuiltObject;
  readonly application: string;
}

/** Namespaces that every cluster has and no component declares. */
const BUILT_IN_NAMESPACES: readonly string[] = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];
/** The label that the API server puts on every namespace. */
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

const inventories = new WeakMap<CheckInput, Inventory>();

/** The inventory of a run; made at the first question and shared by its checks. */
export function inventoryOf(input: CheckInput): Inventory {
  const inventory = inventories.get(input) ?? new Inventory(input);
  inventories.set(input, inventory);
  return inventory;
}

export class Inventory {
  readonly pods: readonly KnownPods[];
  readonly services: readonly KnownService[];
  private readonly podsByNamespace = new Map<string, LabelIndex<KnownPods>>();
  private readonly servicesByNamespace = new Map<string, LabelIndex<KnownService>>();
  private readonly servicesByName = new Map<string, KnownService>();
  private readonly namespaceLabels = new LabelIndex<string>();
  private readonly declared = new Set<string>(BUILT_IN_NAMESPACES);
  private readonly secrets = new Map<string, KnownData>();
  private readonly configMaps = new Map<string, KnownData>();
  private readonly upstreamServiceAccounts = new Set<string>();

  constructor(private readonly input: CheckInput) {
    for (const name of BUILT_IN_NAMESPACES) this.namespaceLabels.add({ [NAMESPACE_NAME]: name }, name);
    for (const { manifest } of input.ofKind('Namespace')) {
      this.declared.add(manifest.metadata.name);
      this.namespaceLabels.add({ ...manifest.metadata.labels, [NAMESPACE_NAME]: manifest.metadata.name }, manifest.metadata.name);
    }
    this.pods = [...this.ownPods(), ...this.upstreamPods(), ...this.operatorPods(), CLUSTER_DNS];
    for (const pods of this.pods) indexOf(this.podsByNamespace, pods.namespace).add(pods.labels, pods);
    this.services = [...this.ownServices(), ...this.upstreamServices(), ...this.operatorServices()];
    for (const service of this.services) {
      indexOf(this.servicesByNamespace, service.namespace).add(service.labels, service);
      this.servicesByName.set(`${service.namespace}/${service.name}`, service);
    }
    this.collectData();
  }

  /** Whether the namespace is declared, or one that every cluster has. */
  hasNamespace(name: string): boolean {
    return this.declared.has(name);
  }

  /** Names of the namespaces that the selector matches. */
  namespaces(selector: LabelSelector): string[] {
    return this.namespaceLabels.select(selector);
  }

  /** Pods of a namespace that the selector matches. */
  podsIn(namespace: string, selector: LabelSelector): KnownPods[] {
    return this.podsByNamespace.get(namespace)?.select(selector) ?? [];
  }

  hasPodsIn(namespace: string, selector: LabelSelector): boolean {
    return this.podsByNamespace.get(namespace)?.some(selector) ?? false;
  }

  /** Services of a namespace that the selector matches. */
  servicesIn(namespace: string, selector: LabelSelector): KnownService[] {
    return this.servicesByNamespace.get(namespace)?.select(selector) ?? [];
  }

  service(namespace: string, name: string): KnownService | undefined {
    return this.servicesByName.get(`${namespace}/${name}`);
  }

  secret(namespace: string, name: string): KnownData | undefined {
    return this.secrets.get(`${namespace}/${name}`);
  }

  configMap(namespace: string, name: string): KnownData | undefined {
    return this.configMaps.get(`${namespace}/${name}`) ?? (name === 'kube-root-ca.crt' ? ROOT_CA : undefined);
  }

  hasServiceAccount(namespace: string, name: string): boolean {
    return this.input.find('ServiceAccount', namespace, name) !== undefined || this.upstreamServiceAccounts.has(`${namespace}/${name}`);
  }

  private ownPods(): KnownPods[] {
    return this.input.podTemplates.map((template) => {
      const { object, labels, spec } = template;
      const { kind, metadata } = object.manifest;
      const containers: readonly Container[] = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
      const gamePorts: readonly GamePort[] = kind === 'Fleet' ? (object.manifest.spec?.template?.spec?.ports ?? []) : [];
      return {
        owner: `${kind} ${metadata.namespace}/${metadata.name}`,
        namespace: metadata.namespace ?? '',
        labels: kind === 'Fleet' ? { ...labels, ...GAME_SERVER_LABELS } : labels,
        ports: [
          ...containers.flatMap((container) =>
            (container.ports ?? []).map(({ name, containerPort, protocol }) => ({ name, port: containerPort, protocol })),
          ),
          // Agones gives them to the container without a name.
          ...gamePorts.flatMap(({ containerPort, protocol = 'UDP' }) => (containerPort ? [{ port: containerPort, protocol }] : [])),
        ],
        hostNetwork: spec.hostNetwork === true,
        object,
        template,
      };
    });
  }

  private upstreamPods(): KnownPods[] {
    return this.provided(({ pods }, chart) =>
      pods.map(({ name, namespace, labels, ports, hostNetwork }) => ({
        owner: `${name} of chart ${chart.name}`,
        namespace: namespace ?? chart.namespace,
        labels,
        ports,
        hostNetwork: hostNetwork === true,
        chart: chart.name,
      })),
    );
  }

  private operatorPods(): KnownPods[] {
    return this.madeByOperators((rule, object) =>
      (rule.pods?.(object.manifest, this.input) ?? []).map(({ name, ...pods }) => ({ ...pods, owner: name, hostNetwork: false, object })),
    );
  }

  private ownServices(): KnownService[] {
    return this.input.ofKind('Service').map((object) => {
      const { metadata, spec } = object.manifest;
      return { namespace: metadata.namespace ?? '', name: metadata.name, labels: metadata.labels ?? {}, ports: spec?.ports ?? [], object };
    });
  }

  private upstreamServices(): KnownService[] {
    return this.provided(({ services }, chart) =>
      services.map(({ name, namespace, labels, ports }) => ({
        namespace: namespace ?? chart.namespace,
        name,
        labels: labels ?? {},
        ports,
        chart: chart.name,
      })),
    );
  }

  private operatorServices(): KnownService[] {
    return this.madeByOperators((rule, object) =>
      (rule.services?.(object.manifest) ?? []).map((service) => ({ ...service, labels: {}, object })),
    );
  }

  private collectData(): void {
    const { input } = this;
    for (const chart of input.built.charts) {
      const provides = chart.provides(input.built.cluster);
      for (const secret of provides.secrets ?? []) this.secrets.set(secret, { keys: 'unknown', application: chart.name });
      for (const configMap of provides.configMaps ?? []) this.configMaps.set(configMap, { keys: 'unknown', application: chart.name });
      for (const account of provides.serviceAccounts ?? []) this.upstreamServiceAccounts.add(account);
      for (const pods of provides.pods) {
        if (pods.serviceAccount) this.upstreamServiceAccounts.add(`${pods.namespace ?? chart.namespace}/${pods.serviceAccount}`);
      }
    }
    for (const rule of operatorRules) {
      for (const object of this.objectsOf(rule.of)) {
        for (const { namespace, name, keys } of rule.secrets?.(object.manifest, input) ?? []) {
          this.secrets.set(`${namespace}/${name}`, { keys: new Set(keys), object, application: object.application });
        }
      }
    }
    // Keys that are declared and not sealed yet are reported by the build; here they count as there.
    const declared = new Map(input.built.secrets.map((spec) => [`${spec.namespace}/${spec.name}`, Object.keys(spec.keys)]));
    for (const object of input.ofKind('SealedSecret')) {
      const { metadata, spec } = object.manifest;
      const id = `${metadata.namespace}/${metadata.name}`;
      const keys = new Set([
        ...Object.keys(spec?.encryptedData ?? {}),
        ...Object.keys(spec?.template?.data ?? {}),
        ...(declared.get(id) ?? []),
      ]);
      this.secrets.set(id, { keys, object, application: object.application });
    }
    for (const object of input.ofKind('Secret')) {
      const { metadata, data, stringData } = object.manifest;
      const keys = new Set([...Object.keys(data ?? {}), ...Object.keys(stringData ?? {})]);
      this.secrets.set(`${metadata.namespace}/${metadata.name}`, { keys, object, application: object.application });
    }
    for (const object of input.ofKind('ConfigMap')) {
      const { metadata, data, binaryData } = object.manifest;
      const keys = new Set([...Object.keys(data ?? {}), ...Object.keys(binaryData ?? {})]);
      this.configMaps.set(`${metadata.namespace}/${metadata.name}`, { keys, object, application: object.application });
    }
  }

  private provided<T>(each: (provides: ReturnType<Chart['provides']>, chart: Chart) => T[]): T[] {
    return this.input.built.charts.flatMap((chart) => each(chart.provides(this.input.built.cluster), chart));
  }

  private madeByOperators<T>(each: (rule: (typeof operatorRules)[number], object: BuiltObject) => T[]): T[] {
    return operatorRules.flatMap((rule) => this.objectsOf(rule.of).flatMap((object) => each(rule, object)));
  }

  private objectsOf(groupKind: string): readonly BuiltObject[] {
    const [group = '', kind = ''] = groupKind.split('/');
    return this.input.ofKind(kind).filter(({ manifest }) => manifest.apiVersion.startsWith(`${group}/`) && manifest.spec);
  }
}

type Chart = CheckInput['built']['charts'][number];

interface Container {
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
}

interface GamePort {
  readonly containerPort?: number;
  /** Agones' default is UDP; `TCPUDP` is both. */
  readonly protocol?: string;
}

/** The cluster's DNS, which every distribution brings with this label. */
const CLUSTER_DNS: KnownPods = {
  owner: 'DNS of the cluster',
  namespace: 'kube-system',
  labels: { 'k8s-app': 'kube-dns' },
  ports: [{ port: 53 }],
  hostNetwork: false,
};

/** Kubernetes writes it into every namespace. */
const ROOT_CA: KnownData = { keys: new Set(['ca.crt']), application: 'namespaces' };

function indexOf<T>(indexes: Map<string, LabelIndex<T>>, namespace: string): LabelIndex<T> {
  const index = indexes.get(namespace) ?? new LabelIndex<T>();
  indexes.set(namespace, index);
  return index;
}
