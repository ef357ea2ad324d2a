/**
 * Containers that run for long are asked whether they serve and whether they live, and every container says what it needs and how much memory is too much.
 * It deliberately judges no numbers. Game servers of Agones report to its SDK instead of answering probes, and K8up's backups get their numbers from the operator.
 */

import type { BuiltObject } from '../build';
import { quantityValue } from '../model/quantities';
import { containersOf, type PodContainer } from './pods';
import { Report } from './report';
import type { Check } from './types';

const LONG_RUNNING = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

export const probesAndResources: Check = {
  id: 'probes-and-resources',
  why: 'Without probes traffic goes to a process that is not ready, and one that hangs stays; without requests the scheduler puts too much on a node, without a memory limit one leak takes the node with it, and a CPU limit throttles a game server into lag.',
  run: (input) => {
    const report = new Report(input, probesAndResources);
    for (const template of input.podTemplates) {
      const { object } = template;
      for (const container of containersOf(template)) {
        // The kubelet gives ephemeral containers neither.
        if (container.list === 'ephemeralContainers') continue;
        const sidecar = container.list === 'initContainers' && container.spec.restartPolicy === 'Always';
        if (LONG_RUNNING.has(object.manifest.kind) && (container.list === 'containers' || sidecar)) probes(report, object, container);
        resources(report, object, container.path, container.spec.resources, `Container '${container.spec.name}'`);
      }
      if (object.manifest.kind === 'Fleet' && object.manifest.spec?.template?.spec?.health?.disabled === true) {
        report.say(
          object,
          'spec.template.spec.health.disabled',
          "Agones' health check is off, and its game servers have no other: one that hangs keeps its players and its port.",
          'Remove health.disabled; the server tells the SDK every few seconds that it lives.',
        );
      }
    }
    for (const object of input.ofKind('Cluster')) {
      if (object.manifest.apiVersion.startsWith('postgresql.cnpg.io/'))
        resources(report, object, 'spec', object.manifest.spec?.resources, 'An instance');
    }
    for (const object of input.ofKind('ObjectStore')) {
      const sidecar = object.manifest.spec?.instanceSidecarConfiguration;
      resources(report, object, 'spec.instanceSidecarConfiguration', sidecar?.resources, "The plugin's side container in every instance");
    }
    return report.violations;
  },
};

function probes(report: Report, object: BuiltObject, { path, spec }: PodContainer): void {
  if (spec.readinessProbe === undefined) {
    report.say(
      object,
      `${path}.readinessProbe`,
      `Container '${spec.name}' has no readiness probe: it gets traffic before it can answer, and while it cannot.`,
      'Add a readinessProbe that asks for its status.',
    );
  }
  if (spec.livenessProbe === undefined) {
    report.say(
      object,
      `${path}.livenessProbe`,
      `Container '${spec.name}' has no liveness probe: nobody restarts it when it hangs.`,
      'Add a livenessProbe that is patient, and a startupProbe as long as its start may take.',
    );
  }
}

interface Resources {
  readonly requests?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, unknown>>;
}

function resources(report: Report, object: BuiltObject, at: string, { requests = {}, limits = {} }: Resources = {}, who: string): void {
  const path = `${at}.resources`;
  for (const name of ['cpu', 'memory']) {
    if (requests[name] !== undefined) continue;
    report.say(
      object,
      `${path}.requests.${name}`,
      `${who} requests no ${name}: the scheduler counts it as nothing.`,
      `Set requests.${name} to what it needs in ordinary use.`,
    );
  }
  if (limits.memory === undefined) {
    report.say(
      object,
      `${path}.limits.memory`,
      `${who} has no memory limit: a leak ends other pods of the node, not this one.`,
      'Set limits.memory; the same as the request never overcommits the node.',
    );
  }
  if (limits.cpu !== undefined) {
    report.say(
      object,
      `${path}.limits.cpu`,
      `${who} has a CPU limit (${limits.cpu}): it is stopped for the rest of each tenth of a second in which it used that up.`,
      'Remove limits.cpu; the request is its share when the node is busy.',
    );
  }
  for (const name in limits) {
    const [limit, request] = [quantityValue(String(limits[name])), quantityValue(String(requests[name]))];
    if (limit === undefined || request === undefined || limit >= request) continue;
    report.say(
      object,
      `${path}.limits.${name}`,
      `${who} may use ${limits[name]} of ${name} but requests ${requests[name]}: the API server refuses it.`,
      `Make limits.${name} at least the request.`,
    );
  }
}
