/**
 * The recovery of the database: the edit of the description that makes the next generation, what the synth will then write, and the steps.
 * It deliberately edits no file: the description is the operator's, and the change goes through a pull request as every other does
 * (docs/decisions/0015-database-generations.md).
 */
import { archiveName } from '../constructs/postgres';
import type { ClusterDescription } from '../model/cluster';
import { DescriptionError, resolveCluster } from '../model/cluster';
import { NAMESPACES } from '../platform';
import { type Step, type StepList, stepsText } from '../steps';
import { SynthesisError, synthesize } from '../synth';
import { RestoreError } from './errors';
import type { RestorePlan } from './world';

export interface DatabaseRestore {
  readonly description: ClusterDescription;
  /** Text of apps/<cluster>.ts, to name the line. @default no line is named */
  readonly source?: string;
  /** As it was written, with its offset. @default to the end of the archive */
  readonly at?: string;
  readonly now: Date;
  readonly secretsDirectory: string;
  /** What the operator's ObjectStore says of each archive, by its name. @default not known */
  readonly windows?: Readonly<Record<string, { readonly firstRecoverabilityPoint?: string; readonly lastSuccessfulBackupTime?: string }>>;
}

/** Name of the page of steps; the other files are what the synth will write. */
const DATABASE_STEPS = 'README.md';

/** @throws RestoreError with the reason why it cannot be recovered so */
export function planDatabaseRestore(request: DatabaseRestore): RestorePlan {
  const { description, at, now, windows } = request;
  const { name } = description;
  const cluster = resolveCluster(description);
  if (!cluster.backups)
    throw new RestoreError(
      `Cluster '${name}' has no backups (backups is not set in apps/${name}.ts), so its database cannot be recovered.`,
    );
  if (at !== undefined && Date.parse(at) > now.getTime())
    throw new RestoreError(`${at} is in the future; the log reaches up to now at most.`);
  const generation = cluster.database.generation + 1;
  const [from, to] = [archiveName(cluster.database.generation), archiveName(generation)];
  if (windows) judgeWindows(windows, from, to, at);

  const { recoverTo: _earlier, ...kept } = description.database ?? {};
  const database = { ...kept, generation, ...(at === undefined ? {} : { recoverTo: at }) };
  const files = new Map<string, string>();
  for (const [path, text] of preview({ ...description, database }, request)) {
    if (path.startsWith(`${name}/database/`) && path.includes(to))
      files.set(
        path.slice(path.lastIndexOf('/') + 1),
        `# What 'npm run synth' will write to dist/${path} after the edit. Argo CD applies it; it is here to be read.\n${text}`,
      );
  }
  const list: StepList = {
    title: `Recover the database of ${name} as ${to}, from the archive ${from}${at === undefined ? '' : `, as it was at ${at}`}`,
    about: [
      `A new database beside the old one, which nothing deletes. It archives as ${to}, and never over ${from}.`,
      at === undefined
        ? 'What was written since the last archived piece of the log is lost: five minutes at worst, nothing if the old one can be stopped in step 2.'
        : 'Everything that was written after that time is lost: accounts, characters, bans. Worlds go on from their own saves. Passwords of roles are those in Git.',
    ],
    steps: steps({ name, from, to, edit: editText(name, request.source, literal(database)) }),
    afterwards: afterwards(from),
  };
  files.set(DATABASE_STEPS, stepsText(list));
  return { files, list };
}

function judgeWindows(windows: NonNullable<DatabaseRestore['windows']>, from: string, to: string, at: string | undefined): void {
  const window = windows[from];
  if (window?.lastSuccessfulBackupTime === undefined)
    throw new RestoreError(
      `The archive '${from}' has no base backup, so nothing can be recovered from it (docs/how-to/restore-the-database.md, 'Once more').`,
    );
  if (windows[to] !== undefined)
    throw new RestoreError(
      `The archive '${to}' is used already, and a recovery never writes over one. If that recovery went wrong, see docs/how-to/restore-the-database.md, 'Once more'.`,
    );
  const first = window.firstRecoverabilityPoint;
  if (at !== undefined && first !== undefined && Date.parse(at) < Date.parse(first))
    throw new RestoreError(`${at} is before ${first}, the first moment that the archive '${from}' can be recovered to.`);
}

function preview(changed: ClusterDescription, { secretsDirectory }: DatabaseRestore): ReadonlyMap<string, string> {
  try {
    return synthesize([changed], { secretsDirectory }).files;
  } catch (error) {
    if (!(error instanceof SynthesisError) && !(error instanceof DescriptionError)) throw error;
    throw new RestoreError(`The description would not be accepted so:\n${error.message}`);
  }
}

function editText(name: string, source: string | undefined, value: string): string {
  const lines = source?.split('\n') ?? [];
  const line = lines.findIndex((each) => /^ {2}database:/.test(each)) + 1;
  const file = `apps/${name}.ts`;
  if (line > 0) return `In ${file}, line ${line}, replace the whole field 'database' by:\n\n      database: ${value},`;
  return `In ${file}, add the field:\n\n      database: ${value},`;
}

/** As TypeScript, on one line. */
function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (value === null || typeof value !== 'object') return String(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${key}: ${literal(each)}`)
    .join(', ')} }`;
}

const KUBECTL = `kubectl -n ${NAMESPACES.database}`;

function steps({ name, from, to, edit }: { name: string; from: string; to: string; edit: string }): Step[] {
  return [
    {
      title: 'See what the archive holds',
      commands: [`${KUBECTL} get objectstores.barmancloud.cnpg.io backups -o jsonpath='{.status.serverRecoveryWindow}'`],
      note: `'${from}' must have a lastSuccessfulBackupTime, and '${to}' must not be there. In a new cluster there is nothing to ask yet: look into the bucket (docs/how-to/restore-the-database.md, 'The whole home from Git').`,
    },
    {
      title: 'Stop the old database, if it still runs',
      commands: [
        `${KUBECTL} annotate clusters.postgresql.cnpg.io ${from} cnpg.io/hibernation=on`,
        `${KUBECTL} wait pod -l cnpg.io/cluster=${from} --for=delete --timeout=10m`,
      ],
      note: 'It then archives what it has. Nobody can log in from here on; worlds go on. If its pods stay, go on: the sync cuts it off.',
    },
    { title: 'Edit the description', commands: [], note: edit },
    {
      title: 'Synthesize, review, merge',
      commands: [`npm run synth -- --release Cluster/${NAMESPACES.database}/${from}`, `git diff --stat dist/${name}`],
      note: `Commit, open a pull request, merge. Argo CD makes ${to} and takes the network from ${from}.`,
    },
    {
      title: 'Wait until it is healthy',
      commands: [
        `${KUBECTL} wait clusters.postgresql.cnpg.io/${to} --for=condition=Ready --timeout=2h`,
        `${KUBECTL} annotate cluster.postgresql.cnpg.io ${from} argocd.argoproj.io/tracking-id-`,
      ],
      note: 'The second command, which the synth printed too, lets Argo CD forget the old one. It deletes nothing.',
    },
    {
      title: 'Look whether players get in',
      commands: [
        'kubectl -n argocd get applications database connect-broker',
        'kubectl -n connect-broker rollout status deployment/connect-broker --timeout=10m',
      ],
    },
  ];
}

function afterwards(from: string): Step[] {
  return [
    {
      title: 'When you are sure: end the old database for good',
      note: '**This deletes its volumes.** Its archive stays in the bucket. The way back until then: docs/how-to/restore-the-database.md.',
      commands: [`${KUBECTL} delete cluster.postgresql.cnpg.io ${from}`],
    },
  ];
}
