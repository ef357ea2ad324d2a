/**
 * `npm run seal`: seals values offline, to the committed certificate, and writes them into secrets/<cluster>/.
 * It deliberately cannot show a value and takes none from the command line; what the modes do is lib/secrets/seal-command.ts.
 */
import { endWithMeant } from '../lib/model/issues';
import type { SealEnvironment } from '../lib/secrets/environment';
import { CERTIFICATE_FILE } from '../lib/secrets/keys';
import {
  list,
  makeExample,
  newKey,
  renew,
  resealEverything,
  rotate,
  type SealResult,
  sealMissing,
  sealNetcode,
  sealOne,
  verifyEverything,
} from '../lib/secrets/seal-command';
import { SecretsError } from '../lib/secrets/sealing';
import { readOptions, runCommand, UsageError } from './options';

const HELP = `
npm run seal -- --cluster NAME --list [--json]
npm run seal -- --cluster NAME --missing [--answers FILE | --placeholder-asks] [--key FILE] [--yes]
npm run seal -- --cluster NAME NAMESPACE/SECRET[/KEY] [--generate N | --from-file FILE | < FILE] [--yes]
npm run seal -- --cluster NAME --rotate IDENTITY_OR_PLACE [--generate N | --from-file FILE | < FILE] --yes
npm run seal -- --cluster NAME --netcode REALM_OR_CONTENT_TYPE [--next-generation] [--key FILE] [--yes]
npm run seal -- --cluster NAME --verify --key FILE
npm run seal -- --cluster NAME --reseal [--key FILE] [--certificate FILE] | --renew-certificate [--key FILE]
npm run seal -- --cluster NAME --new-key [--yes] | --example

Seals values to secrets/NAME/${CERTIFICATE_FILE} and writes secrets/NAME/<namespace>/<secret>.yaml. Needs no cluster and no network.
A value that several Secrets need is sealed for all of them at once. Values are never shown, and never taken from the command line.

  --list              every value that the cluster needs: where it is used, sealed or missing, since when
  --missing           generate and seal what is missing; ask for what only a person has. What another Secret has already is opened with --key
                      (default .keys/NAME.key, where it is) and sealed again: nobody is asked twice, and nothing is replaced
  --rotate NAME       a new value in all places, by identity (see --list) or place
  --netcode NAME      generate and seal the missing key of one realm or content type
  --next-generation   with --netcode: the key after the one in use, beside it
  --generate N        make the value: N letters and digits, or N random bytes where bytes are needed
  --from-file FILE    take the value from a file; without it and --generate, from standard input (a terminal asks, and does not echo)
  --answers FILE      values that would be asked for: a YAML map from identity to text, { file: PATH } or { env: NAME }; only you may be able to read it
  --placeholder-asks  seal random text instead of asking; only with an example's certificate, which nobody can open
  --verify            the recovery drill: open everything with --key alone, and record the day in secrets/NAME/. Only the copy that you keep
                      elsewhere counts for the alert that asks for the next drill: a key of .keys/ says nothing of it
  --new-key           make the cluster's own key, .keys/NAME.key, and its certificate; replaces an example's with all of its values
  --reseal            open everything with --key (default .keys/NAME.key), seal it to a new key, or to the one of --certificate
  --renew-certificate a new certificate of the same key (default .keys/NAME.key), before the old one expires; no value changes
  --key FILE          a private key: PEM, or the controller's Secrets in YAML; may be repeated
  --example           make an example's certificate, whose private key is thrown away; to try things out
  --yes               replace values that are sealed already, which cannot be read back; with --new-key: give up those of a key that is lost
  --json              with --list: print JSON
  -h, --help          this text

Exit code: 0 when done, 1 when not or when something is still missing, 2 for wrong usage.
`;

/** @returns the exit code. */
export const main = (args: readonly string[], environment?: SealEnvironment): Promise<number> =>
  runCommand(async () => {
    const options = readOptions(args, HELP, OPTIONS, true);
    if (!options) return 0;
    const world = environment ?? (await projectEnvironment());
    try {
      const { code, lines, complaints } = await run(options.values, options.positionals, world);
      for (const line of lines) console.log(line);
      for (const line of complaints) console.error(line);
      return code;
    } catch (error) {
      if (!(error instanceof SecretsError) && (error as Error).name !== 'DescriptionError') throw error;
      console.error((error as Error).message);
      return 1;
    }
  });

const OPTIONS = {
  cluster: { type: 'string' },
  list: { type: 'boolean' },
  missing: { type: 'boolean' },
  rotate: { type: 'string' },
  netcode: { type: 'string' },
  'next-generation': { type: 'boolean' },
  generate: { type: 'string' },
  'from-file': { type: 'string' },
  answers: { type: 'string' },
  'placeholder-asks': { type: 'boolean' },
  verify: { type: 'boolean' },
  'new-key': { type: 'boolean' },
  reseal: { type: 'boolean' },
  key: { type: 'string', multiple: true },
  certificate: { type: 'string' },
  'renew-certificate': { type: 'boolean' },
  example: { type: 'boolean' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

type Values = { readonly [Name in keyof typeof OPTIONS]?: unknown } & {
  readonly cluster?: string;
  readonly rotate?: string;
  readonly netcode?: string;
  readonly generate?: string;
  readonly 'from-file'?: string;
  readonly answers?: string;
  readonly key?: string[];
  readonly certificate?: string;
};

/** The modes, and the options that each takes. */
const MODES: Readonly<Record<string, readonly (keyof Values)[]>> = {
  list: ['json'],
  missing: ['answers', 'placeholder-asks', 'key', 'yes'],
  rotate: ['generate', 'from-file', 'yes'],
  netcode: ['next-generation', 'key', 'yes'],
  verify: ['key'],
  'new-key': ['yes'],
  reseal: ['key', 'certificate'],
  'renew-certificate': ['key'],
  example: [],
};
const PLACE_OPTIONS: readonly (keyof Values)[] = ['generate', 'from-file', 'yes'];

function run(values: Values, positionals: readonly string[], environment: SealEnvironment): Promise<SealResult> | SealResult {
  const mode = chosenMode(values, positionals);
  const target = { cluster: chosenCluster(values.cluster, environment.clusters), environment };
  const confirmed = values.yes === true;
  const keyFiles = values.key ?? [];
  const source = {
    generate: values.generate === undefined ? undefined : Number(values.generate),
    fromFile: values['from-file'],
    confirmed,
  };
  switch (mode) {
    case 'list':
      return list(target, values.json === true);
    case 'missing':
      return sealMissing(target, { answers: values.answers, placeholders: values['placeholder-asks'] === true, keyFiles, confirmed });
    case 'rotate':
      return rotate(target, values.rotate ?? '', source);
    case 'netcode':
      return sealNetcode(target, values.netcode ?? '', { nextGeneration: values['next-generation'] === true, keyFiles, confirmed });
    case 'verify':
      return verifyEverything(target, keyFiles);
    case 'new-key':
      return newKey(target, confirmed);
    case 'reseal':
      return resealEverything(target, { keyFiles, certificate: values.certificate });
    case 'renew-certificate':
      return renew(target, keyFiles);
    case 'example':
      return makeExample(target);
    default:
      return sealOne(target, positionals[0] ?? '', source);
  }
}

/** The mode's name, or undefined for a place; refuses every combination that has no meaning. */
function chosenMode(values: Values, positionals: readonly string[]): string | undefined {
  if (positionals.length > 1 || positionals.some((positional) => positional.includes('='))) {
    throw new UsageError(
      'A value is never given on the command line, where other programs and the history of the shell see it: pipe it in, use --from-file, or type it when asked. See --help.',
    );
  }
  const chosen = Object.keys(MODES).filter((mode) => values[mode as keyof Values] !== undefined);
  const named = [...chosen.map((mode) => `--${mode}`), ...(positionals.length > 0 ? ['NAMESPACE/SECRET'] : [])];
  if (named.length !== 1) {
    throw new UsageError(
      named.length === 0
        ? 'Say what to do: --list, --missing, --rotate NAME, --netcode NAME, --verify, --new-key, --reseal, --renew-certificate, --example, or NAMESPACE/SECRET/KEY. See --help.'
        : `${named.join(' and ')} cannot be combined; give one of them. See --help.`,
    );
  }
  const [mode] = chosen;
  const allowed: readonly string[] = ['cluster', ...(mode === undefined ? PLACE_OPTIONS : [mode, ...(MODES[mode] ?? [])])];
  const wrong = Object.keys(values).filter((option) => !allowed.includes(option));
  if (wrong.length > 0)
    throw new UsageError(`${wrong.map((option) => `--${option}`).join(', ')} has no meaning with ${named[0]}. See --help.`);
  if (values.generate !== undefined && values['from-file'] !== undefined)
    throw new UsageError('--generate and --from-file cannot be combined; give one of them.');
  if (values.answers !== undefined && values['placeholder-asks'])
    throw new UsageError('--answers and --placeholder-asks cannot be combined; give one of them.');
  if (values.generate !== undefined && !/^\d+$/.test(values.generate)) throw new UsageError('--generate needs a number, such as 32.');
  if (mode === 'verify' && values.key === undefined)
    throw new UsageError('--verify needs --key FILE: the copy of the private key that you keep outside of this machine.');
  return mode;
}

function chosenCluster(name: string | undefined, clusters: readonly string[]): string {
  const known = clusters.join(', ');
  if (name === undefined) throw new UsageError(`Say which cluster: --cluster NAME, one of ${known}.`);
  if (!clusters.includes(name))
    throw new UsageError(`There is no cluster '${name}'${endWithMeant(name, clusters, 'the clusters of apps/')}`);
  return name;
}

/** The project's own clusters. Loaded here, because `--help` and tests with their own environment need none of it. */
async function projectEnvironment(): Promise<SealEnvironment> {
  const { clusters } = await import('../apps');
  const { neededSecrets, secretUsers, withNextGeneration } = await import('../lib/secrets/needs');
  const { askHidden, readStandardInput } = await import('../lib/secrets/terminal');
  const described = (name: string) => {
    const description = clusters.find((cluster) => cluster.name === name);
    if (!description) throw new Error(`apps/index.ts has no cluster '${name}'.`);
    return description;
  };
  return {
    root: '.',
    clusters: clusters.map((cluster) => cluster.name),
    needed: (name, store, raised) =>
      neededSecrets(raised === undefined ? described(name) : withNextGeneration(described(name), raised), store),
    users: (name, store) => secretUsers(described(name), store),
    interactive: process.stdin.isTTY === true,
    readInput: readStandardInput,
    ask: askHidden,
    variable: (name) => process.env[name],
    today: () => new Date().toISOString().slice(0, 10),
  };
}
