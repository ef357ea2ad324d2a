/**
 * Whatever an object cannot exist or become healthy without is synced before it: its CRD, the webhook that judges it, its namespace, its issuer, the Secrets of its pods.
 * It deliberately does not ask whether what is needed exists (resolved-references does), and nothing of upstream charts but their place: what they render is not here.
 */
import { ARGOCD_NAMESPACE, ROOT } from '../../argocd/root';
import type { BuiltApplication, BuiltObject } from '../build';
import { describe } from '../emit/paths';
import { type Finding, reported } from './finding';
import { inventoryOf } from './inventory';
import { issuerOf } from './operator-pods';
import { type Reference, referencesOf } from './references';
import type { Check, CheckInput } from './types';

export const earlierWave: Check = {
  id: 'earlier-wave',
  why: 'Argo CD starts a wave when the one before is healthy. An object whose CRD or namespace comes later cannot be applied at all, and one that waits for something of a later wave waits for ever, because that wave never starts.',
  run: (input) => {
    const order = new Order(input);
    return reported(earlierWave, input, [
      ...customResources(order),
      ...namespaces(order),
      ...issuers(order),
      ...blocking(order),
      ...needs(order),
    ]);
  },
};

/** API groups of Kubernetes itself; every other group is that of a custom resource (also `gateway.networking.k8s.io` and the like). */
const BUILT_IN_GROUPS = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

/** The waves of a cluster, and who provides which CRD. */
class Order {
  private readonly crds = new Map<string, string>();
  private readonly webhooks = new Map<string, string>();

  constructor(readonly input: CheckInput) {
    for (const chart of input.built.charts) {
      const { crds, webhooks = [] } = chart.provides(input.built.cluster);
      for (const crd of crds) this.crds.set(crd, chart.name);
      for (const group of webhooks) this.webhooks.set(group, chart.name);
    }
    for (const { application, manifest } of input.ofKind('CustomResourceDefinition')) this.crds.set(manifest.metadata.name, application);
  }

  application(name: string): BuiltApplication | undefined {
    return this.input.application(name);
  }

  /** Application that brings the CRD, by the name of the CRD. */
  providerOf(crd: string): string | undefined {
    return this.crds.get(crd);
  }

  /** Application whose webhooks judge the objects of an API group. */
  judgeOf(group: string): string | undefined {
    return this.webhooks.get(group);
  }

  /** Whether `before` is in an earlier wave than `after`. */
  isEarlier(before: string, after: string): boolean {
    const [first, second] = [this.application(before), this.application(after)];
    return first !== undefined && second !== undefined && first.wave < second.wave;
  }

  wave(name: string): string {
    const application = this.application(name);
    return application === undefined ? 'no wave' : `wave ${application.wave}`;
  }
}

/** Name of the CRD of a kind: the plural as English and every CRD that is known here make it (policies, gateways, prometheuses). */
export function crdName(group: string, kind: string): string {
  const singular = kind.toLowerCase();
  const plural = /s$/.test(singular) ? `${singular}es` : /[^aeiou]y$/.test(singular) ? `${singular.slice(0, -1)}ies` : `${singular}s`;
  return `${plural}.${group}`;
}

/** What an object of a kind needs before it. */
interface Needed {
  readonly group: string;
  readonly crd: string;
}

function customResources(order: Order): Finding[] {
  const findings: Finding[] = [];
  const known = new Map<string, Map<string, Needed | undefined>>();
  for (const by of order.input.objects) {
    // Argo CD and its CRDs are there before the first object of the root: the bootstrap installs them.
    if (by.application === ROOT) continue;
    const { apiVersion, kind } = by.manifest;
    let kinds = known.get(apiVersion);
    if (!kinds) {
      kinds = new Map();
      known.set(apiVersion, kinds);
    }
    if (!kinds.has(kind)) kinds.set(kind, neededBy(apiVersion, kind));
    const needed = kinds.get(kind);
    if (needed) findings.push(...provided(order, by, needed));
  }
  return findings;
}

/** Undefined for kinds of Kubernetes itself. */
function neededBy(apiVersion: string, kind: string): Needed | undefined {
  const slash = apiVersion.indexOf('/');
  const group = slash === -1 ? '' : apiVersion.slice(0, slash);
  return BUILT_IN_GROUPS.has(group) ? undefined : { group, crd: crdName(group, kind) };
}

function provided(order: Order, by: BuiltObject, { group, crd }: Needed): Finding[] {
  const provider = order.providerOf(crd);
  const webhook = order.judgeOf(group);
  const findings: Finding[] = [];
  if (provider === undefined) {
    findings.push({
      by,
      field: 'apiVersion',
      message: `No chart of this cluster is recorded to provide the CRD '${crd}'.`,
      fix: 'Enable the chart that brings it, record the CRD in its entry in argocd/catalog, or leave the object out where the chart is not enabled.',
    });
  } else if (!order.isEarlier(provider, by.application))
    findings.push(tooEarly(order, by, 'apiVersion', provider, `its CRD '${crd}' comes`));
  if (webhook && webhook !== provider && order.application(webhook) && !order.isEarlier(webhook, by.application)) {
    findings.push(tooEarly(order, by, 'apiVersion', webhook, 'the webhook that judges it comes'));
  }
  return findings;
}

function tooEarly(order: Order, by: BuiltObject, field: string, needed: string, what: string): Finding {
  return {
    by,
    field,
    message: `Application '${by.application}' is in ${order.wave(by.application)}, but ${what} with Application '${needed}' in ${order.wave(needed)}.`,
    fix: `Add '${needed}' to the 'needs' of Application '${by.application}'.`,
  };
}

/** The Application that carries every Namespace. */
const NAMESPACES = 'namespaces';

function namespaces(order: Order): Finding[] {
  const findings: Finding[] = [];
  for (const by of order.input.ofKind('Namespace')) {
    if (by.application === NAMESPACES) continue;
    findings.push({
      by,
      field: 'metadata.name',
      message: `The Namespace is in Application '${by.application}' and not in '${NAMESPACES}', before which nothing is synced.`,
      fix: "Declare it in the component's 'namespaces' instead of adding the object.",
    });
  }
  const first = order.application(NAMESPACES);
  for (const application of order.input.built.applications.values()) {
    if (application.name === NAMESPACES || !first || first.wave < application.wave) continue;
    const by = applicationObject(order.input, application.name);
    if (by) {
      findings.push({
        by,
        field: SYNC_WAVE_FIELD,
        message: `Application '${application.name}' is in wave ${application.wave}, not after '${NAMESPACES}' in wave ${first.wave}.`,
        fix: `Add '${NAMESPACES}' to its 'needs'.`,
      });
    }
  }
  return findings;
}

function issuers(order: Order): Finding[] {
  const findings: Finding[] = [];
  for (const by of order.input.ofKind('Certificate')) {
    const issuer = issuerOf(by.manifest, order.input);
    if (!issuer || issuer.application === by.application || order.isEarlier(issuer.application, by.application)) continue;
    findings.push(tooEarly(order, by, 'spec.issuerRef.name', issuer.application, `its issuer, ${describe(issuer.manifest)}, comes`));
  }
  return findings;
}

/** What keeps an object from becoming healthy is in the same wave or an earlier one, and within an Application in no later step of its sync. */
function blocking(order: Order): Finding[] {
  const { input } = order;
  const findings: Finding[] = [];
  for (const reference of referencesOf(input)) {
    if (!reference.blocking) continue;
    const target = targetOf(input, reference);
    if (!target) continue;
    const { object: by, field, kind, name } = reference;
    const here = order.application(by.application);
    const there = order.application(target.application);
    if (here && there && there.wave > here.wave) {
      findings.push({
        by,
        field,
        message: `${kind} '${name}' comes with Application '${there.name}' in wave ${there.wave}, after Application '${here.name}' in wave ${here.wave}, which is not healthy without it.`,
        fix: `Move it to Application '${here.name}' or to one that this needs, or let '${here.name}' need '${there.name}'.`,
      });
    } else if (target.object && target.application === by.application && step(target.object) > step(by)) {
      findings.push({
        by,
        field,
        message: `${kind} '${name}' is made by ${describe(target.object.manifest)}, which is synced ${describeStep(target.object)}, after this object ${describeStep(by)}.`,
        fix: `Give ${describe(target.object.manifest)} the same step or an earlier one.`,
      });
    }
  }
  for (const chart of input.built.charts) {
    const here = order.application(chart.name);
    const by = applicationObject(input, chart.name);
    for (const id of Object.keys(chart.secrets?.(input.built.cluster) ?? {})) {
      const [namespace = '', name = ''] = id.split('/');
      const secret = inventoryOf(input).secret(namespace, name);
      const there = secret && order.application(secret.application);
      if (!here || !there || !by || there.wave < here.wave) continue;
      findings.push({
        by,
        field: SYNC_WAVE_FIELD,
        message: `The chart's pods need Secret ${id}, which comes with Application '${there.name}' in wave ${there.wave}, but the chart is in wave ${here.wave}.`,
        fix: `Add '${there.name}' to the 'needs' of the chart's entry in argocd/catalog.`,
      });
    }
  }
  return findings;
}

function targetOf(input: CheckInput, { kind, namespace, name }: Reference): { application: string; object?: BuiltObject } | undefined {
  if (kind === 'Secret') return inventoryOf(input).secret(namespace ?? '', name);
  if (kind === 'ConfigMap') return inventoryOf(input).configMap(namespace ?? '', name);
  const object = input.find(kind, namespace, name);
  return object && { application: object.application, object };
}

const HOOK = 'argocd.argoproj.io/hook';
const SYNC_WAVE = 'argocd.argoproj.io/sync-wave';
const SYNC_WAVE_FIELD = `metadata.annotations[${SYNC_WAVE}]`;
/** More than any wave that somebody would write. */
const PHASE = 1e9;

/** Place of an object in the sync of its Application: hooks before or after everything else, and waves within. */
function step({ manifest: { metadata } }: BuiltObject): number {
  const hooks = metadata.annotations?.[HOOK] ?? '';
  const phase = hooks.includes('PreSync') ? -1 : hooks.includes('PostSync') ? 1 : 0;
  return phase * PHASE + Number(metadata.annotations?.[SYNC_WAVE] ?? 0);
}

function describeStep({ manifest: { metadata } }: BuiltObject): string {
  const hook = metadata.annotations?.[HOOK];
  return `${hook ? `as ${hook} hook ` : ''}in sync wave ${metadata.annotations?.[SYNC_WAVE] ?? 0}`;
}

/** Applications come after all that they need, and the emitted Application says the wave that was computed. */
function needs(order: Order): Finding[] {
  const { input } = order;
  const findings: Finding[] = [];
  for (const application of input.built.applications.values()) {
    const by = applicationObject(input, application.name);
    if (!by) continue;
    const annotation = by.manifest.metadata.annotations?.[SYNC_WAVE];
    if (annotation !== String(application.wave)) {
      findings.push({
        by,
        field: SYNC_WAVE_FIELD,
        message: `It says '${annotation ?? '(nothing)'}', but the computed wave of Application '${application.name}' is ${application.wave}.`,
        fix: 'Emit the wave that lib/waves.ts computes, as text.',
      });
    }
    for (const need of application.needs) {
      if (order.isEarlier(need, application.name)) continue;
      const needed = order.application(need);
      findings.push({
        by,
        field: SYNC_WAVE_FIELD,
        message: needed
          ? `Application '${application.name}' in wave ${application.wave} needs '${need}', which is in wave ${needed.wave}.`
          : `Application '${application.name}' needs '${need}', which this cluster does not have.`,
        fix: needed ? 'Compute the waves from the needs (lib/waves.ts).' : `Remove it from the 'needs', or enable '${need}'.`,
      });
    }
  }
  return findings;
}

function applicationObject(input: CheckInput, name: string): BuiltObject | undefined {
  return input.find('Application', ARGOCD_NAMESPACE, name);
}
