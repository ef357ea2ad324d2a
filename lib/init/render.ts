/**
 * A description as the text of apps/<name>.ts: formatted as Biome formats it, with a few comments where somebody at home will ask.
 * It deliberately writes no default and holds no logic; what it writes is what a person would have written.
 */
import type { ClusterDescription } from '../model/cluster';

/** Longest line, as Biome is told. */
const WIDTH = 140;

/** Comments behind fields, by their path. */
const COMMENTS: Readonly<Record<string, string>> = {
  'network.ingress': 'forward TCP 80 and 443 of the router to it',
  'network.adminIngress': 'never forward it',
  'network.dns': 'give it to the LAN as DNS server',
  'network.publicAddress': 'an address, or the host name of your dynamic DNS',
  'network.instanceNode': 'the router forwards the ports of instances to it: npm run ports',
};

/** Fields that are always written on lines of their own, because they grow. */
const OPEN = new Set(['', 'network', 'certificates', 'game', 'realms[]', 'realms[].continents']);

type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain | undefined };

/** The constant's name in apps/<name>.ts: `my-home` → `myHome`. */
export function constantName(cluster: string): string {
  const name = cluster.replace(/-+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return RESERVED.has(name) ? `${name}Cluster` : name;
}

/** Words that are DNS labels and cannot name a constant, and the names that the two files use themselves. */
const RESERVED = new Set(
  'await break case catch class clusters const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield'.split(
    ' ',
  ),
);

/** The whole file. */
export function renderCluster(description: ClusterDescription): string {
  const { name, nodes } = description;
  const machines = nodes.length === 1 ? 'one machine' : `${nodes.length} machines`;
  return [
    '/**',
    ` * The cluster \`${name}\`: ${machines}, described. Begun by \`npm run init\` and yours from then on: edit it, and \`npm run synth\` does the rest.`,
    ' * It deliberately holds no logic. Every field is explained in docs/reference/cluster.md.',
    ' */',
    "import { defineCluster } from '../lib/model/cluster';",
    '',
    `export const ${constantName(name)} = defineCluster(${render(description as Plain, '', 0)});`,
    '',
  ].join('\n');
}

function render(value: Plain, path: string, indent: number, used = 0): string {
  if (typeof value !== 'object') return literal(value);
  const inline = renderInline(value, path);
  // A comma may follow.
  if (inline !== undefined && indent + used + inline.length < WIDTH) return inline;
  const pad = ' '.repeat(indent + 2);
  const entries: [prefix: string, child: Plain, at: string][] = isList(value)
    ? value.map((each) => ['', each, `${path}[]`])
    : Object.entries(value).flatMap(([key, each]) =>
        each === undefined ? [] : [[`${key}: `, each, path === '' ? key : `${path}.${key}`]],
      );
  const lines = entries.map(([prefix, child, at]) => {
    const comment = COMMENTS[at];
    return `${pad}${prefix}${render(child, at, indent + 2, prefix.length + 1)},${comment === undefined ? '' : ` // ${comment}`}`;
  });
  const [open, close] = isList(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${lines.join('\n')}\n${' '.repeat(indent)}${close}`;
}

/** The value on one line, or undefined where it has to be open. */
function renderInline(value: Plain, path: string): string | undefined {
  if (typeof value !== 'object') return literal(value);
  if (isList(value)) {
    // Biome puts each object of a list of several on a line of its own.
    if (value.length > 1 && value.every((each) => typeof each === 'object' && Object.keys(each).length > 1)) return undefined;
    const items = value.map((each) => renderInline(each, `${path}[]`));
    return items.includes(undefined) ? undefined : `[${items.join(', ')}]`;
  }
  const fields = Object.entries(value).filter(([, each]) => each !== undefined);
  if (fields.length === 0) return '{}';
  if (OPEN.has(path)) return undefined;
  const items = fields.map(([key, each]) => {
    const text = renderInline(each as Plain, path === '' ? key : `${path}.${key}`);
    return text === undefined ? undefined : `${key}: ${text}`;
  });
  return items.includes(undefined) ? undefined : `{ ${items.join(', ')} }`;
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

/** Single quotes, unless the text has more of them than of double ones. */
function literal(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  const quoted = JSON.stringify(value);
  const [singles, doubles] = ["'", '"'].map((quote) => value.split(quote).length - 1) as [number, number];
  return singles > doubles ? quoted : `'${quoted.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
