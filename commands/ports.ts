/** `npm run ports`: prints what the router forwards to each cluster, and what it never may; nothing else. */
import { clusters } from '../apps';
import { forwarding, forwardingText } from '../lib/forwarding';
import { DescriptionError, resolveCluster } from '../lib/model/cluster';
import { readOptions, runCommand, UsageError } from './options';

const HELP = `
npm run ports [-- CLUSTER | --cluster CLUSTER] [--json]

Prints the rules that your router needs, from the description: TCP for the players' page, a UDP port for each world, the range of instances.

  --json  { "<cluster>": { "forward": [{ "protocol", "firstPort", "lastPort", "to", "publicAddress", "because" }], "never": [{ "address", "because" }] } }

Exit code 1 when a description has mistakes, 2 for a wrong option or a cluster that does not exist.
`;

export const main = (args: readonly string[]): Promise<number> =>
  runCommand(() => {
    const options = readOptions(args, HELP, { cluster: { type: 'string' }, json: { type: 'boolean' } }, true);
    if (!options) return 0;
    const [wanted, ...more] = [...options.positionals, ...(options.values.cluster === undefined ? [] : [options.values.cluster])];
    const chosen = clusters.filter(({ name }) => wanted === undefined || name === wanted);
    if (more.length > 0 || chosen.length === 0)
      throw new UsageError(
        more.length > 0
          ? `At most one cluster is expected, but there are ${more.length + 1}. See --help.`
          : `There is no cluster '${wanted}'; apps/ has ${clusters.map(({ name }) => `'${name}'`).join(', ')}.`,
      );
    try {
      const lists = chosen.map((description) => [description.name, forwarding(resolveCluster(description))] as const);
      if (options.values.json) console.log(JSON.stringify(Object.fromEntries(lists), null, 2));
      else console.log(lists.map(([name, list]) => forwardingText(name, list)).join('\n\n'));
      return 0;
    } catch (error) {
      if (!(error instanceof DescriptionError)) throw error;
      console.error(error.message);
      return 1;
    }
  });
