/** `npm run maintenance`: parses its options and prints the steps that lib/maintenance.ts knows. It changes nothing and asks no cluster. */
import { clusters } from '../apps';
import { MaintenanceError, planNodeMaintenance, planRealmBackup } from '../lib/maintenance';
import { DescriptionError, resolveCluster } from '../lib/model/cluster';
import { stepsText } from '../lib/steps';
import { readOptions, runCommand, UsageError } from './options';

const HELP = `
npm run maintenance -- node NAME [--cluster CLUSTER] [--json]
npm run maintenance -- backup REALM [--cluster CLUSTER] [--json]

node:   prints how to take a node out of service and back, step by step: who is told, how worlds and instances leave it, the drain, the return.
backup: prints how to back the worlds of a realm up at once.
Changes nothing by itself.

  --cluster CLUSTER  needed when several clusters of apps/ have a node or realm of that name
  --json             print { "title", "about", "steps": [{ "title", "commands", "note" }], "afterwards" }
  -h, --help         this text

Exit code: 0 when printed, 1 when there is no such node or realm, 2 for wrong usage.
`;

export const main = (args: readonly string[]): Promise<number> =>
  runCommand(() => {
    const options = readOptions(args, HELP, { cluster: { type: 'string' }, json: { type: 'boolean' } }, true);
    if (!options) return 0;
    const [what, target, ...more] = options.positionals;
    const { cluster: name, json } = options.values;
    if ((what !== 'node' && what !== 'backup') || target === undefined || more.length > 0)
      throw new UsageError("Say which node or realm: 'node NAME' or 'backup REALM'. See --help.");
    if (name !== undefined && !clusters.some((each) => each.name === name))
      throw new UsageError(`There is no cluster '${name}'; apps/ has ${clusters.map((each) => each.name).join(', ')}.`);
    try {
      const named = clusters.filter((each) => name === undefined || each.name === name).map(resolveCluster);
      const having = named.filter((each) =>
        what === 'node'
          ? each.nodes.some((node) => node.name === target)
          : each.backups !== undefined && each.realms.some((realm) => realm.name === target),
      );
      if (having.length > 1)
        throw new UsageError(
          `Several clusters have a ${what === 'node' ? 'node' : 'realm'} '${target}'; say which with --cluster: ${having.map((each) => each.name).join(', ')}.`,
        );
      if (having.length === 0 && named.length > 1) {
        const nodes = named.map((each) => `${each.name} has ${each.nodes.map((node) => node.name).join(', ')}`).join('; ');
        const realms = named.map((each) => `${each.name} has ${each.realms.map((realm) => realm.name).join(', ') || 'none'}`).join('; ');
        throw new MaintenanceError(
          what === 'node'
            ? `No cluster has a node '${target}': ${nodes}.`
            : `No cluster has a realm '${target}' with a backup store: ${realms}.`,
        );
      }
      const [cluster = named[0]] = having;
      if (!cluster) throw new UsageError('apps/index.ts lists no cluster.');
      const list = what === 'node' ? planNodeMaintenance(cluster, target) : planRealmBackup(cluster, target, new Date());
      console.log(json ? JSON.stringify(list, null, 2) : stepsText(list).trimEnd());
      return 0;
    } catch (error) {
      if (!(error instanceof MaintenanceError) && !(error instanceof DescriptionError)) throw error;
      console.error(error.message);
      return 1;
    }
  });
