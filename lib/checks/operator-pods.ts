/**
 * Pods, Services and Secrets that operators make out of our custom resources: selectors and references may mean them, though no object of ours is one.
 * It deliberately is a table of facts, each with the place in upstream's sources; what charts render themselves is in the catalogue's records.
 */
import type { BuiltObject } from '../build';
import type { PlainObject } from '../emit/manifest';
import { ANY_VALUE, type KnownLabels } from './label-index';
import type { CheckInput } from './types';

export interface KnownPort {
  readonly name?: string;
  readonly port: number;
  /** @default TCP */
  readonly protocol?: string;
}

/** Pods that an operator makes. */
export interface OperatorPods {
  /** What they are, as a sentence names them: `instances of Cluster database/postgres`. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: KnownLabels;
  readonly ports: readonly KnownPort[];
}

export interface OperatorService {
  readonly name: string;
  readonly namespace: string;
  readonly ports: readonly KnownPort[];
}

export interface OperatorSecret {
  readonly name: string;
  readonly namespace: string;
  readonly keys: readonly string[];
}

/** What follows from one object of a kind. */
export interface OperatorRule {
  /** `<group>/<Kind>`. */
  readonly of: string;
  /** Where upstream decides it, for whoever updates the operator. */
  readonly source: string;
  readonly pods?: (object: PlainObject, input: CheckInput) => readonly OperatorPods[];
  readonly services?: (object: PlainObject) => readonly OperatorService[];
  readonly secrets?: (object: PlainObject, input: CheckInput) => readonly OperatorSecret[];
}

/** Keys that cert-manager writes; `ca.crt` only where the issuer knows its authority (not ACME). */
const CERTIFICATE_KEYS = ['tls.crt', 'tls.key'] as const;

const POSTGRES_USER_KEYS = [
  'username',
  'user',
  'password',
  'dbname',
  'host',
  'port',
  'uri',
  'fqdn-uri',
  'jdbc-uri',
  'fqdn-jdbc-uri',
  'pgpass',
] as const;

export const operatorRules: readonly OperatorRule[] = [
  {
    of: 'postgresql.cnpg.io/Cluster',
    source: 'cloudnative-pg pkg/specs/pods.go, pkg/specs/jobs.go, pkg/specs/services.go, api/v1/cluster_funcs.go',
    pods: ({ metadata: { name, namespace = '' }, spec }) => {
      const common: KnownLabels = {
        ...spec.inheritedMetadata?.labels,
        'cnpg.io/cluster': name,
        'cnpg.io/instanceName': ANY_VALUE,
        'app.kubernetes.io/name': 'postgresql',
        'app.kubernetes.io/instance': name,
        'app.kubernetes.io/component': 'database',
        'app.kubernetes.io/managed-by': 'cloudnative-pg',
      };
      return [
        {
          name: `instances of Cluster ${namespace}/${name}`,
          namespace,
          labels: {
            ...common,
            'cnpg.io/podRole': 'instance',
            'cnpg.io/instanceRole': ['primary', 'replica'],
            role: ['primary', 'replica'],
          },
          ports: [
            { name: 'postgresql', port: 5432 },
            { name: 'metrics', port: 9187 },
            { name: 'status', port: 8000 },
          ],
        },
        {
          name: `bootstrap Jobs of Cluster ${namespace}/${name}`,
          namespace,
          labels: { ...common, 'cnpg.io/jobRole': ANY_VALUE },
          ports: [],
        },
      ];
    },
    services: ({ metadata: { name, namespace = '' }, spec }) => {
      const disabled: readonly string[] = spec.managed?.services?.disabledDefaultServices ?? [];
      return ['rw', 'ro', 'r']
        .filter((suffix) => !disabled.includes(suffix))
        .map((suffix) => ({ name: `${name}-${suffix}`, namespace, ports: [{ name: 'postgres', port: 5432 }] }));
    },
    secrets: ({ metadata: { name, namespace = '' }, spec }) => [
      ...(spec.certificates?.serverCASecret ? [] : [{ name: `${name}-ca`, namespace, keys: ['ca.crt', 'ca.key'] }]),
      ...(spec.certificates?.serverTLSSecret ? [] : [{ name: `${name}-server`, namespace, keys: CERTIFICATE_KEYS }]),
      ...(spec.certificates?.replicationTLSSecret ? [] : [{ name: `${name}-replication`, namespace, keys: CERTIFICATE_KEYS }]),
      ...(spec.bootstrap?.initdb?.secret ? [] : [{ name: `${name}-app`, namespace, keys: POSTGRES_USER_KEYS }]),
      ...(spec.enableSuperuserAccess === true && !spec.superuserSecret
        ? [{ name: `${name}-superuser`, namespace, keys: POSTGRES_USER_KEYS }]
        : []),
    ],
  },
  {
    of: 'cert-manager.io/Certificate',
    source: 'cert-manager pkg/issuer/acme/http/pod.go, pkg/controller/certificates/issuing/internal/secret.go',
    pods: (certificate, input) => {
      const { name, namespace = '' } = certificate.metadata;
      const solvers = http01Solvers(certificate, issuerOf(certificate, input)?.manifest);
      return solvers.map((solver) => ({
        name: `ACME solvers of Certificate ${namespace}/${name}`,
        namespace,
        labels: {
          ...solver,
          'acme.cert-manager.io/http01-solver': 'true',
          'acme.cert-manager.io/http-domain': ANY_VALUE,
          'acme.cert-manager.io/http-token': ANY_VALUE,
        },
        ports: [{ name: 'http', port: 8089 }],
      }));
    },
    secrets: (certificate, input) => {
      const { metadata, spec } = certificate;
      if (typeof spec?.secretName !== 'string') return [];
      const acme = issuerOf(certificate, input)?.manifest.spec?.acme !== undefined;
      const formats: readonly { type: string }[] = spec.additionalOutputFormats ?? [];
      const keys = [
        ...CERTIFICATE_KEYS,
        ...(acme ? [] : ['ca.crt']),
        ...formats.map(({ type }) => (type === 'DER' ? 'key.der' : 'tls-combined.pem')),
        ...(spec.keystores?.jks ? ['keystore.jks', 'truststore.jks'] : []),
        ...(spec.keystores?.pkcs12 ? ['keystore.p12', 'truststore.p12'] : []),
      ];
      return [{ name: spec.secretName, namespace: metadata.namespace ?? '', keys }];
    },
  },
  {
    of: 'k8up.io/Schedule',
    source:
      'k8up operator/job/job.go, MutateBatchJob: of all labels only those of the PodConfig itself (not of its template) reach the pods',
    pods: (schedule, input) => {
      const { name, namespace = '' } = schedule.metadata;
      const reference = schedule.spec?.podConfigRef?.name;
      const podConfig = typeof reference === 'string' ? input.find('PodConfig', namespace, reference) : undefined;
      return [
        {
          name: `Jobs of Schedule ${namespace}/${name}`,
          namespace,
          labels: { ...podConfig?.manifest.metadata.labels, k8upjob: 'true' },
          ports: [],
        },
      ];
    },
  },
];

/** Labels that Agones adds to the pods of a Fleet (pkg/apis/agones/v1/gameserver.go, podObjectMeta). */
export const GAME_SERVER_LABELS: KnownLabels = { 'agones.dev/role': 'gameserver', 'agones.dev/gameserver': ANY_VALUE };

/** The Issuer or ClusterIssuer that a Certificate names, when it is an object of ours. */
export function issuerOf(certificate: PlainObject, input: CheckInput): BuiltObject | undefined {
  const { name, kind = 'Issuer' } = certificate.spec?.issuerRef ?? {};
  if (typeof name !== 'string') return undefined;
  return input.find(kind, kind === 'ClusterIssuer' ? undefined : certificate.metadata.namespace, name);
}

interface Solver {
  readonly selector?: {
    readonly dnsNames?: readonly string[];
    readonly dnsZones?: readonly string[];
    readonly matchLabels?: Readonly<Record<string, string>>;
  };
  readonly http01?: { readonly ingress?: SolverPods; readonly gatewayHTTPRoute?: SolverPods };
}

interface SolverPods {
  readonly podTemplate?: { readonly metadata?: { readonly labels?: Record<string, string> } };
}

/** Labels that the issuer gives to the pods of each HTTP-01 solver that answers for a name of the Certificate. */
function http01Solvers(certificate: PlainObject, issuer: PlainObject | undefined): Record<string, string>[] {
  const solvers: readonly Solver[] = issuer?.spec?.acme?.solvers ?? [];
  const names: readonly string[] = certificate.spec?.dnsNames ?? [];
  const chosen = new Set(names.map((name) => solverOf(name, certificate.metadata.labels ?? {}, solvers)));
  return [...chosen].flatMap((solver) => {
    const http01 = solver?.http01;
    return http01 ? [{ ...(http01.ingress ?? http01.gatewayHTTPRoute)?.podTemplate?.metadata?.labels }] : [];
  });
}

/** The solver that cert-manager takes for a name: the most specific by name, then by zone, then by labels; the first of equals (pkg/util/solverpicker). */
function solverOf(name: string, labels: Readonly<Record<string, string>>, solvers: readonly Solver[]): Solver | undefined {
  let best: Solver | undefined;
  let rank: readonly number[] = [];
  for (const solver of solvers) {
    // No authority offers HTTP-01 for a wildcard.
    if (solver.http01 && name.startsWith('*.')) continue;
    const found = specificity(name, labels, solver.selector ?? {});
    if (found && (best === undefined || isMore(found, rank))) [best, rank] = [solver, found];
  }
  return best;
}

/** How closely a selector fits, in the order of weight; undefined when it does not. */
function specificity(
  name: string,
  labels: Readonly<Record<string, string>>,
  selector: NonNullable<Solver['selector']>,
): readonly number[] | undefined {
  const { dnsNames = [], dnsZones = [], matchLabels = {} } = selector;
  const zones = dnsZones.filter((zone) => name === zone || name.endsWith(`.${zone}`)).map((zone) => zone.split('.').length);
  const required = Object.entries(matchLabels);
  if (dnsNames.length > 0 && !dnsNames.includes(name)) return undefined;
  if (dnsZones.length > 0 && zones.length === 0) return undefined;
  if (required.some(([key, value]) => labels[key] !== value)) return undefined;
  return [dnsNames.length > 0 ? 1 : 0, Math.max(0, ...zones), required.length];
}

function isMore(a: readonly number[], b: readonly number[]): boolean {
  const place = a.findIndex((value, index) => value !== b[index]);
  return place >= 0 && (a[place] ?? 0) > (b[place] ?? 0);
}
