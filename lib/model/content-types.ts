/**
 * The rules of instanced content that no single field shows: what Agones' webhook would refuse, or accept and never do.
 * It deliberately repeats no rule of the schema (a buffer of zero is refused there) and knows no manifest.
 * Source of the limits: Agones 1.59, pkg/apis/autoscaling/v1/fleetautoscaler.go; cron expressions are robfig/cron's standard parser's.
 */
import type { Mistake } from './cluster';
import type { ContentTypeDescription, ParsedDescription, Placement, PlainScaling } from './description';
import { MOST_INSTANCE_PORTS, usedByNodes } from './node-ports';
import { quantityValue } from './quantities';

/** Id of the last policy of a schedule; Agones refuses an id twice. */
const RESERVED_WINDOW = 'otherwise';
/** Counters and Lists that every content type declares. */
const COUNTERS = ['rooms'];
const LISTS = ['players'];
/** Longest grace, in seconds, that each promise of eviction leaves: cluster autoscalers wait ten minutes, upgrades an hour. */
const LONGEST_GRACE = { Always: 600, OnUpgrade: 3600, Never: Number.POSITIVE_INFINITY } as const;

/** Every mistake, in the order of the description. */
export function contentTypeMistakes(data: ParsedDescription): Mistake[] {
  const mistakes: Mistake[] = [];
  const seen = new Set<string>();
  for (const type of data.instances) {
    const at = `instances[${type.name}]`;
    if (seen.has(type.name))
      mistakes.push({
        path: `${at}.name`,
        message: `two content types are called '${type.name}'; the name is the Fleet's, so give one of them another.`,
      });
    seen.add(type.name);
    mistakes.push(...scalingMistakes(type, `${at}.autoscaling`));
    const longest = LONGEST_GRACE[type.eviction];
    if (type.graceSeconds > longest) {
      mistakes.push({
        path: `${at}.graceSeconds`,
        message: `${type.graceSeconds} s are more than an eviction of kind '${type.eviction}' waits (${longest} s), so matches would be cut; use at most ${longest}, or eviction: 'Never'.`,
      });
    }
    mistakes.push(...memoryMistakes(type.resources, `${at}.resources`), ...hostNameLabelMistakes(type.placement, `${at}.placement`));
    const twice = type.difficulties.find((each, index) => type.difficulties.indexOf(each) !== index);
    if (twice !== undefined)
      mistakes.push({ path: `${at}.difficulties`, message: `'${twice}' is there twice; remove one of the two, or give it another name.` });
  }
  mistakes.push(...portMistakes(data));
  return mistakes;
}

/** The label by which a node is its own name has a field of its own, whose name is checked. */
export function hostNameLabelMistakes({ nodeLabels }: Placement, path: string): Mistake[] {
  const node = nodeLabels['kubernetes.io/hostname'];
  if (node === undefined) return [];
  return [
    {
      path: `${path}.nodeLabels`,
      message: `'kubernetes.io/hostname' names one node; write node: '${node}' at the continent, or network.instanceNode for instances, where the name is checked.`,
    },
  ];
}

/** A memory limit below the request is refused by the API server. */
export function memoryMistakes(resources: { readonly memory: string; readonly memoryLimit?: string }, path: string): Mistake[] {
  const { memory, memoryLimit } = resources;
  if (memoryLimit === undefined || (quantityValue(memoryLimit) ?? 0) >= (quantityValue(memory) ?? 0)) return [];
  return [
    {
      path: `${path}.memoryLimit`,
      message: `${memoryLimit} is less than the memory that is reserved (${memory}); use at least '${memory}', or leave memoryLimit out to make it the same.`,
    },
  ];
}

function scalingMistakes(type: ContentTypeDescription, path: string): Mistake[] {
  const scaling = type.autoscaling;
  switch (scaling.policy) {
    case 'schedule': {
      const mistakes: Mistake[] = [];
      const seen = new Set<string>();
      for (const window of scaling.windows) {
        const at = `${path}.windows[${window.name}]`;
        if (window.name === RESERVED_WINDOW) {
          mistakes.push({
            path: `${at}.name`,
            message: `'${RESERVED_WINDOW}' is what holds outside of every window; call this one by its time, such as 'evening'.`,
          });
        } else if (seen.has(window.name)) {
          mistakes.push({
            path: `${at}.name`,
            message: `two windows are called '${window.name}'; Agones tells them apart by name, so give one of them another.`,
          });
        }
        seen.add(window.name);
        mistakes.push(...timeZoneMistakes(window, at), ...bufferMistakes(window, at));
      }
      mistakes.push(...bufferMistakes(scaling.otherwise, `${path}.otherwise`));
      return mistakes;
    }
    case 'chain': {
      const mistakes: Mistake[] = [];
      const seen = new Set<string>();
      for (const [index, link] of scaling.links.entries()) {
        const at = `${path}.links[${link.name}]`;
        if (seen.has(link.name)) {
          mistakes.push({
            path: `${at}.name`,
            message: `two links are called '${link.name}'; Agones tells them apart by name, so give one of them another.`,
          });
        }
        seen.add(link.name);
        const isLast = index === scaling.links.length - 1;
        if (link.during) mistakes.push(...timeZoneMistakes(link.during, `${at}.during`));
        if (isLast && link.during) {
          mistakes.push({
            path: `${at}.during`,
            message: `it is the last link, so outside of its window nothing would decide and the Fleet would stay as it is; leave 'during' out, or add a link without one.`,
          });
        }
        // Only the webhook can fail and pass the question on; Agones takes the answer of every other policy.
        if (!isLast && !link.during && link.scaling.policy !== 'on-demand') {
          mistakes.push({
            path: `${at}.during`,
            message: `is missing: the policy '${link.scaling.policy}' always answers, so the links after it are never asked; give it a window, or make it the last.`,
          });
        }
        mistakes.push(...plainMistakes(type, link.scaling, `${at}.scaling`));
      }
      return mistakes;
    }
    default:
      return plainMistakes(type, scaling, path);
  }
}

function plainMistakes(type: ContentTypeDescription, scaling: PlainScaling, path: string): Mistake[] {
  switch (scaling.policy) {
    case 'buffer':
      return bufferMistakes(scaling, path);
    case 'counter':
      return countedMistakes(type, { ...scaling, kind: 'counter', key: scaling.counter, each: type.rooms }, path);
    case 'list':
      return countedMistakes(type, { ...scaling, kind: 'list', key: scaling.list, each: type.capacity }, path);
    case 'on-demand':
      if (scaling.warm <= scaling.max) return [];
      return [
        {
          path: `${path}.warm`,
          message: `${scaling.warm} warm servers are more than max (${scaling.max}); use at most ${scaling.max}, or raise max.`,
        },
      ];
  }
}

function timeZoneMistakes({ timeZone }: { readonly timeZone: string }, at: string): Mistake[] {
  if (isTimeZone(timeZone)) return [];
  return [{ path: `${at}.timeZone`, message: `'${timeZone}' is no time zone that is known; use a name such as 'Europe/Berlin' or 'UTC'.` }];
}

function bufferMistakes(buffer: { readonly ready: number | string; readonly min: number; readonly max: number }, path: string): Mistake[] {
  const { ready, min, max } = buffer;
  const mistakes: Mistake[] = [];
  if (min > max) mistakes.push({ path: `${path}.min`, message: `${min} is more than max (${max}); use at most ${max}, or raise max.` });
  if (typeof ready === 'string') {
    if (min < 1) {
      mistakes.push({
        path: `${path}.min`,
        message: `with ready: '${ready}' it must be at least 1: a percentage of no server is no server, and the fleet would never start again.`,
      });
    }
    return mistakes;
  }
  if (ready > max)
    mistakes.push({
      path: `${path}.ready`,
      message: `${ready} servers ready are more than max (${max}); use at most ${max}, or raise max.`,
    });
  if (min !== 0 && min < ready) {
    mistakes.push({
      path: `${path}.min`,
      message: `${min} is less than ready (${ready}), which Agones refuses; use ${ready} or more, or leave min out (then ready alone counts).`,
    });
  }
  return mistakes;
}

/** What Agones counts over all servers of a Fleet: rooms, or places for players. */
interface Counted {
  readonly kind: 'counter' | 'list';
  readonly key: string;
  /** What one server holds. */
  readonly each: number;
  readonly free: number;
  readonly min: number;
  readonly max: number;
}

/** The sentence's end for whoever named one kind and meant the other. */
const MEANT: Readonly<Record<string, string>> = {
  'counter players': " (players are a List: policy: 'list' keeps places free)",
  'list rooms': " (rooms are a Counter: policy: 'counter' keeps them free)",
};

function countedMistakes(type: ContentTypeDescription, counted: Counted, path: string): Mistake[] {
  const { kind, key, each, free, min, max } = counted;
  const known = kind === 'counter' ? COUNTERS : LISTS;
  if (!known.includes(key)) {
    return [
      {
        path: `${path}.${kind}`,
        message: `'${key}' is no ${kind} of '${type.name}'; Agones accepts it and never scales. Use ${known.map((name) => `'${name}'`).join(' or ')}${MEANT[`${kind} ${key}`] ?? ''}.`,
      },
    ];
  }
  const what = kind === 'counter' ? key : 'places';
  const mistakes: Mistake[] = [];
  const most = max * each;
  if (min > max) mistakes.push({ path: `${path}.min`, message: `${min} is more than max (${max}); use at most ${max}, or raise max.` });
  if (free > most) {
    mistakes.push({
      path: `${path}.free`,
      message: `${free} free ${what} are more than ${max} servers of ${each} hold together (${most}); use at most ${most}, or raise max to ${Math.ceil(free / each)}.`,
    });
  }
  if (min !== 0 && min * each < free) {
    mistakes.push({
      path: `${path}.min`,
      message: `${min} servers of ${each} hold fewer ${what} than free asks for (${free}), which Agones refuses; use ${Math.ceil(free / each)} or more, or leave min out.`,
    });
  }
  return mistakes;
}

/** Most servers that a content type may have at once. */
function mostServers(type: ContentTypeDescription): number {
  const scaling = type.autoscaling;
  if (scaling.policy === 'schedule') return Math.max(scaling.otherwise.max, ...scaling.windows.map((window) => window.max));
  return scaling.policy === 'chain' ? Math.max(...scaling.links.map((link) => link.scaling.max)) : scaling.max;
}

/** Each server takes one host port of its node: of all nodes together, or of the one that instances are pinned to. */
function portMistakes(data: ParsedDescription): Mistake[] {
  const { instanceNode, instancePorts } = data.network;
  const { first, last } = instancePorts;
  const ports = Math.max(0, last - first + 1);
  const most = data.instances.reduce((sum, type) => sum + mostServers(type), 0);
  const nodes = instanceNode === undefined ? data.nodes.length : 1;
  if (most <= ports * nodes || ports === 0) return [];
  const end = first + Math.ceil(most / nodes) - 1;
  const where =
    instanceNode === undefined ? `${nodes} node${nodes === 1 ? '' : 's'}` : `node '${instanceNode}' alone (network.instanceNode)`;
  // A range that the next run would refuse is no advice.
  const isAllowed = end - first < MOST_INSTANCE_PORTS && end <= 65535 && usedByNodes(first, end).length === 0;
  const right = isAllowed ? `use { first: ${first}, last: ${end} }, or lower their max` : `lower their max to ${ports * nodes} in all`;
  return [
    {
      path: 'network.instancePorts',
      message: `${ports} ports on ${where} are too few for the ${most} servers that the content types may have at once; ${right}.`,
    },
  ];
}

/** Whether a name is one of the time zone database's. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
