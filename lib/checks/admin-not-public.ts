/**
 * What players may reach is one host name and the worlds; admin pages answer on the entry point `admin` alone, and ports that only the cluster needs answer on none.
 * It deliberately judges routes and Services of ours; what NetworkPolicies let through is network-policy's part, and the addresses themselves load-balancer-addresses'.
 */
import { entryPoints } from '../../argocd/catalog/traefik';
import { BROKER_AUTOSCALER_SERVICE, BROKER_INTERNAL_SERVICE, BROKER_PORTS, GAME_PORTS, LABELS, NAMESPACES } from '../platform';
import { type Finding, list, reported } from './finding';
import { type Inventory, inventoryOf, type KnownPods } from './inventory';
import { label } from './references';
import { hostsOf } from './traefik-rule';
import type { Check, CheckInput } from './types';

export const adminNotPublic: Check = {
  id: 'admin-not-public',
  why: 'The entry points of players are forwarded to the Internet. An admin page, a metrics port or the API of game servers behind them is one password, or none, away from anybody in the world.',
  run: (input) => {
    const inventory = inventoryOf(input);
    return reported(adminNotPublic, input, [
      ...routes(input),
      ...internalPorts(input, inventory),
      ...exposedServices(input, inventory),
      ...ingresses(input),
    ]);
  },
};

const KNOWN_ENTRY_POINTS: readonly string[] = Object.values(entryPoints);

interface Rule {
  readonly match?: string;
  readonly services?: readonly { readonly name?: string; readonly namespace?: string; readonly port?: string | number }[];
}

function routes(input: CheckInput): Finding[] {
  const { hosts } = input.built.cluster;
  const { broker, ...admin } = hosts;
  const findings: Finding[] = [];
  for (const by of input.ofKind('IngressRoute')) {
    const { spec } = by.manifest;
    const points: readonly string[] = spec?.entryPoints ?? [];
    if (points.length === 0) {
      findings.push({
        by,
        field: 'spec.entryPoints',
        message: 'The route names no entry point, so it answers on those that Traefik calls its defaults, which are public.',
        fix: `Name the entry points: '${entryPoints.admin}' for an admin page, '${entryPoints.websecure}' for the broker.`,
      });
      continue;
    }
    const unknown = points.filter((point) => !KNOWN_ENTRY_POINTS.includes(point));
    if (unknown.length > 0) {
      findings.push({
        by,
        field: 'spec.entryPoints',
        message: `Traefik has no entry point ${list(unknown.map((point) => `'${point}'`))}; it has ${list(KNOWN_ENTRY_POINTS.map((point) => `'${point}'`))}.`,
        fix: 'Name one that it has.',
      });
    }
    const open = points.filter((point) => point !== entryPoints.admin);
    (spec?.routes ?? []).forEach(({ match = '' }: Rule, index: number) => {
      const field = `spec.routes[${index}].match`;
      const answered = hostsOf(match);
      if (open.length > 0) {
        if (answered === 'any') {
          findings.push({
            by,
            field,
            message: `The rule '${match}' on the public entry point '${open[0]}' is not limited to host names that are written down.`,
            fix: `Begin the rule with Host(\`${broker}\`) &&, or move the route to the entry point '${entryPoints.admin}'.`,
          });
        } else {
          const wrong = [...answered].filter((host) => host !== broker);
          for (const host of wrong) {
            const what = Object.values(admin).includes(host) ? 'an admin page' : "not the players' host";
            findings.push({
              by,
              field,
              message: `The host '${host}' is ${what}, but is served on the public entry point '${open[0]}'; only '${broker}' may be.`,
              fix: `Use adminRoute (entry point '${entryPoints.admin}') for it.`,
            });
          }
        }
      }
      if (points.includes(entryPoints.admin) && answered !== 'any' && answered.has(broker)) {
        findings.push({
          by,
          field,
          message: `The players' host '${broker}' is served on the entry point '${entryPoints.admin}', which players cannot reach.`,
          fix: `Use publicRoute (entry point '${entryPoints.websecure}') for it.`,
        });
      }
    });
  }
  for (const kind of ['IngressRouteTCP', 'IngressRouteUDP']) {
    for (const by of input.ofKind(kind)) {
      findings.push({
        by,
        field: 'kind',
        message: `A route of kind ${kind} passes connections on without a host name that could be judged.`,
        fix: 'Publish HTTP by an IngressRoute, and game traffic by a Service of type LoadBalancer.',
      });
    }
  }
  return findings;
}

/** Ports of the broker that are for the cluster only, behind whatever Service. */
const INTERNAL: Readonly<Record<number, string>> = {
  [BROKER_PORTS.internal]: 'the API of game servers',
  [BROKER_PORTS.autoscaler]: "the webhook of Agones' autoscaler",
  [BROKER_PORTS.metrics]: 'metrics',
};

/** Services of the broker that no route may name, and for whom they are. */
const WITHOUT_ROUTE: Readonly<Record<string, string>> = {
  [BROKER_INTERNAL_SERVICE]: 'game servers',
  [BROKER_AUTOSCALER_SERVICE]: "Agones' autoscaler",
};

function internalPorts(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  for (const by of input.ofKind('IngressRoute')) {
    const own = by.manifest.metadata.namespace ?? '';
    (by.manifest.spec?.routes ?? []).forEach(({ services = [] }: Rule, index: number) => {
      services.forEach(({ name = '', namespace = own, port }, at) => {
        const field = `spec.routes[${index}].services[${label({ name }, at)}]`;
        const whose = namespace === NAMESPACES.broker ? WITHOUT_ROUTE[name] : undefined;
        if (whose) {
          findings.push({
            by,
            field,
            message: `The Service '${name}' is for ${whose} and has no route.`,
            fix: `Route to the broker's public Service, or remove the route.`,
          });
          return;
        }
        const target = containerPort(inventory, namespace, name, port);
        const purpose = namespace === NAMESPACES.broker && target ? INTERNAL[target.port] : undefined;
        if (purpose || target?.name === 'metrics') {
          findings.push({
            by,
            field,
            message: `Port '${port}' of Service '${name}' leads to ${purpose ?? 'metrics'} (container port ${target?.port}), which only the cluster may reach.`,
            fix: `Route to another port of the Service, or remove the route.`,
          });
        }
      });
    });
  }
  return findings;
}

/** The container's port behind a port of a Service. */
function containerPort(
  inventory: Inventory,
  namespace: string,
  name: string,
  port: string | number | undefined,
): { name?: string; port: number } | undefined {
  const object = inventory.service(namespace, name)?.object;
  const spec = object?.manifest.spec;
  const entry = (spec?.ports ?? []).find((each: { name?: string; port: number }) => each.port === port || each.name === port);
  if (!entry || !spec?.selector) return undefined;
  const target = entry.targetPort ?? entry.port;
  const ports = inventory.podsIn(namespace, { matchLabels: spec.selector }).flatMap((pods) => pods.ports);
  return ports.find((each) => each.name === target || each.port === target) ?? (typeof target === 'number' ? { port: target } : undefined);
}

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: string | number;
  readonly protocol?: string;
}

const DNS_PORT = 53;

/** Services that are reachable from outside of the cluster: game ports of worlds, and DNS. Nothing else is recorded. */
function exposedServices(input: CheckInput, inventory: Inventory): Finding[] {
  const findings: Finding[] = [];
  for (const by of input.ofKind('Service')) {
    const { metadata, spec } = by.manifest;
    if (Array.isArray(spec?.externalIPs) && spec.externalIPs.length > 0) {
      findings.push({
        by,
        field: 'spec.externalIPs',
        message: `The addresses ${list(spec.externalIPs)} are taken without MetalLB knowing of it.`,
        fix: 'Remove the field; a world gets its address by a Service of type LoadBalancer.',
      });
    }
    if (spec?.type === 'NodePort') {
      findings.push({
        by,
        field: 'spec.type',
        message: 'A NodePort opens the port on every node, beside all pinned addresses.',
        fix: 'Use ClusterIP behind a route, or LoadBalancer with a pinned address for a world.',
      });
    }
    if (spec?.type !== 'LoadBalancer') continue;
    const pods = inventory.podsIn(metadata.namespace ?? '', { matchLabels: spec.selector ?? {} });
    const games = pods.length > 0 && pods.every(isGameServer);
    const dns = metadata.namespace === NAMESPACES.pihole;
    if (!games && !dns) {
      findings.push({
        by,
        field: 'spec.type',
        message: `It publishes ${list(pods.map(({ owner }) => owner))} on an address of the LAN; only worlds and the DNS of namespace '${NAMESPACES.pihole}' are published so.`,
        fix: 'Use ClusterIP and a route of lib/constructs/routes.ts, which puts Traefik in front of it.',
      });
      continue;
    }
    (spec.ports ?? []).forEach((port: ServicePort, index: number) => {
      const target = port.targetPort ?? port.port;
      const allowed = games
        ? pods.every(({ ports }) =>
            ports.some((each) => each.port === GAME_PORTS.game && (each.name === target || each.port === target)),
          ) && port.protocol === 'UDP'
        : port.port === DNS_PORT;
      if (allowed) return;
      findings.push({
        by,
        field: `spec.ports[${label(port, index)}]`,
        message: `It publishes port ${port.port}/${port.protocol ?? 'TCP'} (container port '${target}'); ${games ? `of a world only the game's own UDP port (${GAME_PORTS.game}) is published` : `of the DNS only port ${DNS_PORT} is published`}.`,
        fix: 'Move the port to a Service of type ClusterIP.',
      });
    });
  }
  return findings;
}

function isGameServer({ labels }: KnownPods): boolean {
  return labels[LABELS.gameServer] === 'true';
}

function ingresses(input: CheckInput): Finding[] {
  return input.ofKind('Ingress').map((by) => ({
    by,
    field: 'kind',
    message: "An Ingress answers on Traefik's default entry points, which are public, with no Middleware of ours before it.",
    fix: 'Use publicRoute or adminRoute of lib/constructs/routes.ts.',
  }));
}
