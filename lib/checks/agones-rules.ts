/**
 * Fleets and their autoscalers are what Agones' own webhooks accept and what its controller can run: the rules that no schema says.
 * It deliberately repeats only what upstream's sources refuse or silently break (pkg/apis/agones/v1/{fleet,gameserver,common}.go, pkg/apis/autoscaling/v1/fleetautoscaler.go, cmd/sdk-server); pod security, resources and the number of replicas are other checks'.
 */
import type { BuiltObject } from '../build';
import { isTimeZone } from '../model/content-types';
import { cronMistake } from '../model/cron';
import { quantityValue } from '../model/quantities';
import { type Finding, list, nearest, reported } from './finding';
import { label } from './references';
import type { Check, CheckInput } from './types';

export const agonesRules: Check = {
  id: 'agones-rules',
  why: "Agones' webhooks refuse a wrong Fleet or autoscaler in the middle of a sync, or take it and then leave its game servers in Creating for ever; either way nobody gets an instance.",
  run: (input) => {
    return reported(agonesRules, input, [
      ...input.ofKind('Fleet').flatMap(fleet),
      ...input
        .ofKind('FleetAutoscaler')
        .flatMap((by) => autoscaler(by, input.find('Fleet', by.manifest.metadata.namespace, by.manifest.spec?.fleetName ?? ''))),
      ...chartValues(input),
    ]);
  },
};

/** Ports that Agones' side container takes in the pod's network: SDK by gRPC and HTTP, and its health. */
const SIDECAR_PORTS: Readonly<Record<number, string>> = { 8080: 'health', 9357: 'SDK by gRPC', 9358: 'SDK by HTTP' };

// biome-ignore lint/suspicious/noExplicitAny: parts of custom resources as plain data; schemas check their shape.
type Plain = any;

function fleet(by: BuiltObject): Finding[] {
  const { spec } = by.manifest;
  const findings: Finding[] = [];
  const say = (field: string, message: string, fix: string): void => void findings.push({ by, field, message, fix });
  const server: Plain = spec?.template?.spec ?? {};
  const pod: Plain = server.template?.spec ?? {};
  const at = 'spec.template.spec';
  const containers: readonly Plain[] = pod.containers ?? [];
  const { name } = by.manifest.metadata;
  if (name.length > MOST_NAME)
    say('metadata.name', `The name has ${name.length} characters, and Agones' own names are made of it.`, `Use at most ${MOST_NAME}.`);
  for (const field of ['maxSurge', 'maxUnavailable']) {
    const value: unknown = spec?.strategy?.rollingUpdate?.[field];
    if (value === undefined || (typeof value === 'number' ? value >= 1 : /^[1-9][0-9]?%$/.test(String(value)))) continue;
    say(
      `spec.strategy.rollingUpdate.${field}`,
      `'${value}' is neither a number of at least 1 nor a percentage from 1% to 99%.`,
      'Write one of them, or leave it out.',
    );
  }
  for (const [place, metadata] of [
    ['spec.template.metadata', spec?.template?.metadata],
    [`${at}.template.metadata`, server.template?.metadata],
    ['spec.allocationOverflow', spec?.allocationOverflow],
  ] as const) {
    metadataRules(metadata ?? {}, place, say);
  }
  for (const list of ['initContainers', 'containers']) {
    (pod[list] ?? []).forEach((container: Plain, index: number) => {
      resourceRules(container.resources ?? {}, `${at}.template.spec.${list}[${label(container, index)}].resources`, say);
    });
  }
  for (const field of ['serviceAccountName', 'serviceAccount', 'automountServiceAccountToken']) {
    if (pod[field] === undefined) continue;
    say(
      `${at}.template.spec.${field}`,
      field === 'automountServiceAccountToken'
        ? `'${pod[field]}' would reach Agones' side container, too, which cannot work without its token; Agones hides the token from the game's container by itself.`
        : `With '${pod[field]}' Agones neither gives the pod its own account, which the side container needs, nor hides the token from the game.`,
      `Leave ${field} out.`,
    );
  }
  containers.forEach((container, index) => {
    const ports: readonly Plain[] = container.ports ?? [];
    for (const [place, port] of ports.entries()) {
      sidecar(
        port.containerPort,
        `${at}.template.spec.containers[${label(container, index)}].ports[${label(port, place)}].containerPort`,
        say,
      );
    }
  });
  if (server.container !== undefined ? !containers.some(({ name }) => name === server.container) : containers.length > 1) {
    say(
      `${at}.container`,
      server.container === undefined
        ? `The pod has ${containers.length} containers (${list(containers.map(({ name }) => name))}), and nothing says which of them is the game server.`
        : `There is no container '${server.container}'; there are ${list(containers.map(({ name }) => name))}.`,
      'Name the container of the game server.',
    );
  }
  (server.ports ?? []).forEach((port: Plain, index: number) => {
    const place = `${at}.ports[${label(port, index)}]`;
    if (port.portPolicy !== undefined && port.portPolicy !== 'Dynamic') {
      say(
        `${place}.portPolicy`,
        `The policy '${port.portPolicy}' is not Dynamic, so the port is not one of the forwarded range.`,
        'Leave portPolicy out, or write Dynamic.',
      );
    }
    if (port.hostPort !== undefined)
      say(`${place}.hostPort`, `The port ${port.hostPort} of the node is written down, but Agones chooses it.`, 'Leave hostPort out.');
    if (port.containerPort === undefined)
      say(`${place}.containerPort`, "The port of the game's container is missing.", 'Write the UDP port on which the game listens.');
    else sidecar(port.containerPort, `${place}.containerPort`, say);
    if (port.container !== undefined && !containers.some(({ name }) => name === port.container)) {
      say(
        `${place}.container`,
        `There is no container '${port.container}'; there are ${list(containers.map(({ name }) => name))}.`,
        "Name the game server's container, or leave it out.",
      );
    }
  });
  return findings;
}

/** Longest name of an object of Agones. */
const MOST_NAME = 63;
const KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Labels and annotations that Agones copies onto game servers: the schema takes every text. */
function metadataRules(metadata: Plain, at: string, say: Say): void {
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (!KEY.test(key))
      say(
        `${at}.labels`,
        `'${key}' is no key of a label.`,
        'Use a name of at most 63 letters, digits, -, _ and ., with a DNS prefix if you like.',
      );
    else if (!VALUE.test(String(value)))
      say(`${at}.labels.${key}`, `'${value}' is no value of a label.`, 'Use at most 63 letters, digits, -, _ and .');
  }
  for (const key of Object.keys(metadata.annotations ?? {})) {
    if (!KEY.test(key))
      say(
        `${at}.annotations`,
        `'${key}' is no key of an annotation.`,
        'Use a name of at most 63 letters, digits, -, _ and ., with a DNS prefix if you like.',
      );
  }
}

/** What the API server says of a pod, Agones says of the Fleet already. */
function resourceRules(resources: Plain, at: string, say: Say): void {
  for (const [name, request] of Object.entries(resources.requests ?? {})) {
    const limit: unknown = resources.limits?.[name];
    if (limit === undefined || (quantityValue(String(request)) ?? 0) <= (quantityValue(String(limit)) ?? 0)) continue;
    say(`${at}.requests.${name}`, `The request of ${request} is more than the limit of ${limit}.`, 'Request at most the limit.');
  }
}

function sidecar(port: unknown, field: string, say: (field: string, message: string, fix: string) => void): void {
  const use = typeof port === 'number' ? SIDECAR_PORTS[port] : undefined;
  if (use) say(field, `Port ${port} is taken by Agones' side container (${use}), so one of the two cannot listen.`, 'Choose another port.');
}

function autoscaler(by: BuiltObject, target: BuiltObject | undefined): Finding[] {
  const findings: Finding[] = [];
  const { spec } = by.manifest;
  const say = (field: string, message: string, fix: string): void => void findings.push({ by, field, message, fix });
  const server: Plain = target?.manifest.spec?.template?.spec;
  policy(spec?.policy ?? {}, 'spec.policy', server, say);
  const seconds = spec?.sync?.fixedInterval?.seconds;
  if (seconds !== undefined && seconds <= 0)
    say('spec.sync.fixedInterval.seconds', `An interval of ${seconds} s is refused.`, 'Write at least 1.');
  return findings;
}

type Say = (field: string, message: string, fix: string) => void;

/** Types of a policy and the fields that hold their parameters. */
const PARAMETERS: Readonly<Record<string, string>> = {
  Buffer: 'buffer',
  Webhook: 'webhook',
  Counter: 'counter',
  List: 'list',
  Schedule: 'schedule',
  Chain: 'chain',
  Wasm: 'wasm',
};

function policy(value: Plain, at: string, server: Plain, say: Say): void {
  const name = PARAMETERS[value.type];
  if (!name || value[name] === undefined) {
    say(
      `${at}.${name ?? 'type'}`,
      name ? `The policy is of type '${value.type}', but has no '${name}'.` : `'${value.type}' is no type of policy.`,
      `Use one of ${list(Object.keys(PARAMETERS))} with its parameters.`,
    );
    return;
  }
  const parameters = value[name];
  const place = `${at}.${name}`;
  switch (value.type) {
    case 'Buffer':
      bounds(parameters, place, 'minReplicas', 'maxReplicas', say);
      break;
    case 'Counter':
    case 'List': {
      bounds(parameters, place, 'minCapacity', 'maxCapacity', say);
      const kind = value.type === 'Counter' ? 'counters' : 'lists';
      const known = Object.keys(server?.[kind] ?? {});
      if (server && !known.includes(parameters.key)) {
        say(
          `${place}.key`,
          `The Fleet's game servers have no ${kind.slice(0, -1)} '${parameters.key}'; they have ${list(known)}.`,
          `Name one that they have${nearest(String(parameters.key), known)}, or add it to spec.template.spec.${kind} of the Fleet.`,
        );
      }
      break;
    }
    case 'Webhook':
      if ((parameters.service === undefined) === (parameters.url === undefined)) {
        say(place, "A webhook has either a 'service' or a 'url'.", 'Keep one of them.');
      }
      if (parameters.url !== undefined && !URL.canParse(String(parameters.url)))
        say(`${place}.url`, `'${parameters.url}' is no address.`, 'Write a whole one, such as http://broker.connect-broker.svc:8081/path.');
      if (
        parameters.caBundle !== undefined &&
        !Buffer.from(String(parameters.caBundle), 'base64').toString('latin1').includes('-----BEGIN CERTIFICATE-----')
      )
        say(
          `${place}.caBundle`,
          'It holds no certificate.',
          'Write a PEM certificate in base64, or leave it out where the address is http.',
        );
      break;
    case 'Schedule':
      schedule(parameters, place, server, say);
      break;
    case 'Chain':
      chain(parameters, place, server, say);
      break;
  }
}

function bounds(parameters: Plain, at: string, least: string, most: string, say: Say): void {
  const buffer: unknown = parameters.bufferSize;
  const min: number = parameters[least] ?? 0;
  const max: number = parameters[most] ?? 0;
  if (min > max) say(`${at}.${least}`, `${least} ${min} is more than ${most} ${max}.`, `Write a ${least} of at most ${max}.`);
  if (typeof buffer === 'number') {
    if (buffer < 1)
      say(
        `${at}.bufferSize`,
        `A buffer of ${buffer} is refused by Agones' webhook.`,
        'Write at least 1; to scale to zero takes a webhook policy.',
      );
    if (max < buffer)
      say(`${at}.${most}`, `${most} ${max} is less than the buffer of ${buffer}.`, `Write a ${most} of at least ${buffer}.`);
    if (min !== 0 && min < buffer)
      say(`${at}.${least}`, `${least} ${min} is less than the buffer of ${buffer}.`, `Write 0, or at least ${buffer}.`);
    return;
  }
  if (typeof buffer !== 'string' || !/^[1-9][0-9]?%$/.test(buffer)) {
    say(
      `${at}.bufferSize`,
      `A buffer of '${buffer}' is neither a number nor a percentage from 1% to 99%.`,
      'Write a number of at least 1, or such a percentage.',
    );
  }
  if (min < 1)
    say(
      `${at}.${least}`,
      `With a buffer in per cent and a ${least} of ${min} an empty Fleet would stay empty.`,
      `Write a ${least} of at least 1.`,
    );
}

function schedule(parameters: Plain, at: string, server: Plain, say: Say): void {
  if (parameters.between?.end !== undefined) {
    say(
      `${at}.between.end`,
      `After ${parameters.between.end} Agones' webhook refuses the object, and with it every later sync.`,
      'Leave the end out and repeat the window by startCron and duration.',
    );
  }
  if (String(parameters.activePeriod?.startCron ?? '').includes('TZ')) {
    say(
      `${at}.activePeriod.startCron`,
      `A time zone within the cron fields ('${parameters.activePeriod.startCron}') is refused.`,
      'Write it in activePeriod.timezone.',
    );
  }
  const { startCron, timezone, duration } = parameters.activePeriod ?? {};
  const mistake = startCron === undefined || String(startCron).includes('TZ') ? undefined : cronMistake(String(startCron));
  if (mistake !== undefined) say(`${at}.activePeriod.startCron`, mistake, 'Correct the schedule.');
  if (timezone !== undefined && !isTimeZone(String(timezone)))
    say(`${at}.activePeriod.timezone`, `'${timezone}' is no time zone that is known.`, "Use a name such as 'Europe/Berlin' or 'UTC'.");
  if (duration !== undefined && !/^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$/.test(String(duration)))
    say(`${at}.activePeriod.duration`, `'${duration}' is no duration.`, "Write it as '4h' or '1h30m'.");
  policy(parameters.policy ?? {}, `${at}.policy`, server, say);
}

function chain(entries: readonly Plain[], at: string, server: Plain, say: Say): void {
  const ids = new Set<string>();
  entries.forEach((entry, index) => {
    const place = `${at}[${label(entry, index)}]`;
    const id = String(entry.id ?? '');
    if (ids.has(id)) say(`${place}.id`, `The id '${id}' is used twice in the chain.`, 'Give each entry an id of its own.');
    ids.add(id);
    policy(entry, place, server, say);
  });
  if (!entries.some(({ type }) => type !== 'Schedule')) {
    say(
      at,
      'Every entry is a schedule, so outside of their windows nothing decides and the Fleet stays as it is.',
      'End the chain with a Buffer, Counter, List or Webhook policy.',
    );
  }
}

interface AgonesValues {
  readonly gameservers?: { readonly namespaces?: readonly string[]; readonly minPort?: number; readonly maxPort?: number };
}

/** The chart's own values follow from the Fleets and from the description. */
function chartValues(input: CheckInput): Finding[] {
  const { cluster, charts } = input.built;
  const chart = charts.find(({ name }) => name === 'agones');
  if (!chart) return [];
  const values = (chart.values(cluster) as AgonesValues).gameservers ?? {};
  const findings: Finding[] = [];
  for (const by of input.ofKind('Fleet')) {
    const { namespace = '' } = by.manifest.metadata;
    if (values.namespaces?.includes(namespace)) continue;
    findings.push({
      by,
      field: 'metadata.namespace',
      message: `The values of the Agones chart do not name the namespace '${namespace}' (${list(values.namespaces ?? [])}), so it has no account 'agones-sdk' and no game server can start.`,
      fix: 'Add it to gameservers.namespaces in argocd/catalog/agones.ts.',
    });
  }
  const { first, last } = cluster.network.instancePorts;
  const [by] = input.ofKind('Application').filter(({ manifest }) => manifest.metadata.name === chart.name);
  if (by && (values.minPort !== first || values.maxPort !== last)) {
    findings.push({
      by,
      field: 'spec.source.helm.valuesObject.gameservers',
      message: `Agones would use the ports ${values.minPort}-${values.maxPort}, but the description forwards ${first}-${last} (network.instancePorts).`,
      fix: 'Take minPort and maxPort from the description.',
    });
  }
  return findings;
}
