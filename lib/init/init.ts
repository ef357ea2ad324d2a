/**
 * From answers to a cluster that can be committed: apps/<name>.ts, its line in apps/index.ts, a sealing key, every value sealed that can be, and dist/.
 * All answers are judged before the first file is written, and what is there already stays: run again with the same answers, it changes nothing.
 * It deliberately touches no cluster; the next steps that it names do.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ClusterDescription } from '../model/cluster';
import { replaceFiles } from '../replace-files';
import { readAnswers } from '../secrets/answers';
import { fill, refuseSilentLoss } from '../secrets/fill';
import { CERTIFICATE_FILE, certificateFile } from '../secrets/keys';
import { neededSecrets } from '../secrets/needs';
import { giveOwnKey } from '../secrets/own-key';
import { planMissing, type Step } from '../secrets/plan';
import { keysAtHand, sealedElsewhere } from '../secrets/sealed-elsewhere';
import { readCertificate, SecretsError } from '../secrets/sealing';
import { severalSource } from '../secrets/sources';
import type { SecretSpec } from '../secrets/spec';
import { fileStore, memoryStore } from '../secrets/store';
import { synthesizeToDisk } from '../synth-to-disk';
import { TERRAFORM_CLUSTERS } from '../terraform/variables';
import { askAll, type Conversation } from './ask';
import { type AnswerMistake, describeCluster, mistakesOf } from './describe';
import { type Answers, complete, type Surroundings } from './questions';
import { registerCluster } from './register';
import { memoryOf } from './remembered';
import { renderCluster } from './render';

/** What init has from outside; tests give their own. */
export interface InitEnvironment extends Surroundings, Conversation {
  /** The project's root. */
  readonly root: string;
  /** Those of apps/index.ts. */
  readonly clusters: readonly ClusterDescription[];
  /** Whether a person sits there. */
  readonly interactive: boolean;
  /** Asks without an echo. */
  readonly askHidden: (question: string) => Promise<string>;
  readonly variable: (name: string) => string | undefined;
  /** Bits of the sealing key. @default 4096 */
  readonly keyBits?: number;
}

export interface InitOptions {
  /** From flags and a file. */
  readonly given: Answers;
  /** Values that only a person has, as the file names them, and how messages name the file. */
  readonly secrets?: { readonly document: unknown; readonly place: string };
}

/** @returns whether everything is there; then dist/ is written */
export async function init({ given, secrets }: InitOptions, environment: InitEnvironment): Promise<boolean> {
  const { root, say } = environment;
  const answers = environment.interactive ? await askAll(given, environment, environment, memoryOf(root)) : given;
  const { description, answered } = judge({ given: answers, ...(secrets ? { secrets } : {}) }, environment);
  const { name } = description;

  const example = isExample(root, name);
  const files = plannedFiles(root, description, example);
  if (environment.interactive) {
    const yes = (
      await environment.ask(
        `Write ${files.map(([file]) => file).join(', ') || 'nothing but what is missing'}, key, secrets and dist/? [yes]: `,
      )
    ).trim();
    if (!/^(|y|yes)$/i.test(yes)) throw new SecretsError(['Nothing was written.']);
  }
  replaceFiles(files.map(([file, text]) => [path.join(root, file), text]));
  for (const [file] of files) say(`${file}: written`);
  if (files.length === 0) say(`apps/${name}.ts and apps/index.ts: unchanged`);

  const store = fileStore(path.join(root, 'secrets'), name);
  if (example || !existsSync(certificateFile(root, name))) {
    const { file, found } = await giveOwnKey({ root, cluster: name, store, bits: environment.keyBits });
    say(`${file}: ${found ? 'was there, kept' : 'made; only you can read it, and Git ignores it'}`);
    say(`${store.place}/${CERTIFICATE_FILE}: written${example ? ", in place of the example's, with all of its values" : ''}`);
  } else say(`${store.place}/${CERTIFICATE_FILE}: unchanged`);

  const open = await sealMissing(name, store, neededSecrets(description, store), answered, secrets?.place ?? '', environment).catch(
    (error) => {
      if (!(error instanceof SecretsError)) throw error;
      // Whoever answered thirty questions need not answer them again.
      throw new SecretsError([...error.problems, `What was written stays. Go on with: ${sealAndSynth(name)}`]);
    },
  );
  if (open.length === 0) synth(description, example, environment);
  else {
    say(
      `dist/: not written, because ${open.length === 1 ? 'a value is' : `${open.length} values are`} still missing that only a person has:`,
    );
    for (const { value } of open) say(`  ${value.identity}: ${'ask' in value.source ? value.source.ask : ''}`);
  }
  say('Next:');
  nextSteps(name, open).forEach((step, index) => {
    say(`  ${index + 1}. ${step}`);
  });
  return open.length === 0;
}

/** The description and the values that were given. @throws SecretsError with every mistake in all of them */
function judge(
  { given, secrets }: InitOptions,
  environment: InitEnvironment,
): { readonly description: ClusterDescription; readonly answered: ReadonlyMap<string, Buffer> } {
  const { answers, unanswered } = complete(given, environment);
  const missing = new Set(unanswered.map(({ id }) => id));
  const problems = unanswered.map(
    ({ id, ask }) =>
      `${id} has no answer, and nothing can be proposed: ${ask}. Give it with --${id}, or as '${id}:' in the file of --answers.`,
  );
  const superfluous = Object.keys(given).filter((id) => !(id in answers));
  problems.push(
    ...superfluous.map((id) => `${id} has an answer, but the other answers leave no such question; remove it, or look at those before it.`),
  );
  // What stands in for a missing answer is nobody's mistake.
  const mistakes = allMistakes(given, environment);
  problems.push(
    ...mistakes
      .filter(({ question }) => !question || !missing.has(question.id))
      .map((mistake) => `${labelOf(mistake)}: ${mistake.message}`),
  );
  const description = describeCluster(answers);
  let answered: ReadonlyMap<string, Buffer> = new Map();
  if (mistakes.length === 0 && secrets) {
    try {
      answered = readAnswers(secrets.document, {
        place: secrets.place,
        needed: neededSecrets(description, memoryStore('everything')),
        wanted: missingIdentities(environment.root, description),
        variable: environment.variable,
      });
    } catch (error) {
      if (!(error instanceof SecretsError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) {
    throw new SecretsError([
      `Nothing was written, because of ${problems.length} mistake${problems.length === 1 ? '' : 's'}:`,
      ...problems.map((each) => `  - ${each}`),
    ]);
  }
  return { description, answered };
}

/** What has no sealed value yet that the cluster could open: the others are not asked for again. */
function missingIdentities(root: string, description: ClusterDescription): ReadonlySet<string> {
  const example = isExample(root, description.name);
  const store = example ? memoryStore([]) : fileStore(path.join(root, 'secrets'), description.name);
  return new Set(planMissing(neededSecrets(description, store), store).map(({ value }) => value.identity));
}

/** Answers that others are compared with: without them nobody can say whether the others are right. */
const COMPARED: ReadonlySet<string> = new Set(['nodes', 'api-server', 'load-balancer', 'pool']);

/** Every mistake: what is wrong by itself is left out, so that the rest can be judged in the same run. */
function allMistakes(given: Answers, surroundings: Surroundings): readonly AnswerMistake[] {
  const found: AnswerMistake[] = [];
  const wrong = new Set<string>();
  for (;;) {
    const rest = Object.fromEntries(Object.entries(given).filter(([id]) => !wrong.has(id)));
    const more = mistakesOf(complete(rest, surroundings).answers).filter(({ question }) => !question || !wrong.has(question.id));
    found.push(...more);
    const ids = more.flatMap(({ question }) => (question && question.id in rest ? [question.id] : []));
    if (ids.length === 0 || ids.some((id) => COMPARED.has(id))) return found;
    for (const id of ids) wrong.add(id);
  }
}

function labelOf({ path: field, question }: AnswerMistake): string {
  return question === undefined || field === question.id ? field : `${question.id} (${field})`;
}

/** Whether the cluster is an example, whose secrets nobody can open. */
function isExample(root: string, cluster: string): boolean {
  const file = certificateFile(root, cluster);
  if (!existsSync(file)) return false;
  return readCertificate(readFileSync(file, 'utf8'), path.relative(root, file)).example;
}

/**
 * The files that change, from the root, with their texts.
 * @throws SecretsError when the cluster has a file of its own that says something else
 */
function plannedFiles(root: string, description: ClusterDescription, example: boolean): [file: string, text: string][] {
  const { name } = description;
  const own = `apps/${name}.ts`;
  const text = renderCluster(description);
  const before = existsSync(path.join(root, own)) ? readFileSync(path.join(root, own), 'utf8') : undefined;
  if (before !== undefined && before !== text && !example) {
    throw new SecretsError([
      `${own} exists and says something else than these answers, so nothing was written. It is yours: edit it and run 'npm run synth'. To begin anew, remove it and its lines in apps/index.ts first.`,
    ]);
  }
  const index = readFileSync(path.join(root, 'apps/index.ts'), 'utf8');
  const registered = registerCluster(index, name);
  return [
    ...(before === text ? [] : [[own, text] as [string, string]]),
    ...(registered === index ? [] : [['apps/index.ts', registered] as [string, string]]),
  ];
}

/** Generates and seals what is missing. @returns what nobody could give */
async function sealMissing(
  cluster: string,
  store: ReturnType<typeof fileStore>,
  needed: readonly SecretSpec[],
  answers: ReadonlyMap<string, Buffer>,
  answersPlace: string,
  environment: InitEnvironment,
): Promise<readonly Step[]> {
  const certificate = store.certificate();
  const known = certificate ? sealedElsewhere(needed, store, keysAtHand({ root: environment.root, cluster, certificate })) : new Map();
  const steps = planMissing(needed, store, { known });
  if (steps.length === 0 || !certificate) {
    environment.say(`${store.place}: every value is sealed`);
    return [];
  }
  refuseSilentLoss(steps);
  const give = severalSource(
    { answers, answersPlace, known, placeholders: false },
    { interactive: environment.interactive, ask: environment.askHidden },
  );
  const { open } = await fill(store, certificate, needed, steps, give);
  environment.say(
    `${store.place}: ${steps.length - open.length} value${steps.length - open.length === 1 ? '' : 's'} generated or taken, and sealed`,
  );
  return open;
}

function synth(description: ClusterDescription, example: boolean, { root, clusters, say }: InitEnvironment): void {
  const others = clusters.filter(({ name }) => name !== description.name);
  const { change, lines } = synthesizeToDisk({
    descriptions: [...others, description],
    directory: path.join(root, 'dist'),
    terraformDirectory: path.join(root, TERRAFORM_CLUSTERS),
    secretsDirectory: path.join(root, 'secrets'),
    neverRan: example ? [description.name] : [],
  });
  for (const line of ofCluster(lines, description.name)) say(line);
  const { added, changed, removed } = change;
  say(
    `dist/: ${added.length + changed.length + removed.length === 0 ? 'unchanged' : `${added.length} files added, ${changed.length} changed, ${removed.length} removed`}`,
  );
}

/** What the synth says of one cluster: its line, and what stands below it. */
function ofCluster(lines: readonly string[], name: string): readonly string[] {
  const begin = lines.findIndex((line) => line.startsWith(`${name}:`));
  const length = lines.slice(begin + 1).findIndex((line) => !line.startsWith('  '));
  return begin < 0 ? [] : lines.slice(begin, length < 0 ? undefined : begin + 1 + length);
}

function sealAndSynth(name: string): string {
  return `npm run seal -- --cluster ${name} --missing && npm run synth`;
}

/** Three steps for a person. */
function nextSteps(name: string, open: readonly Step[]): string[] {
  const copy = `Copy .keys/${name}.key to a place that outlives this machine and the cluster, and try the copy: npm run seal -- --cluster ${name} --verify --key COPY`;
  const commit = 'Read what was written, then: git add apps secrets dist terraform && git commit && git push';
  if (open.length > 0) return [`Seal what is missing: ${sealAndSynth(name)}`, copy, commit];
  const up = `npm run doctor -- --cluster ${name}, and when it finds nothing to put right: terraform -chdir=${TERRAFORM_CLUSTERS}/${name} init, then apply (docs/how-to/new-cluster.md)`;
  return [copy, commit, up];
}
