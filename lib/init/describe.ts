/**
 * From answers to a cluster's description: what apps/<name>.ts will say. Worlds get addresses and ports of their own here, because they are written down and never
 * derived later. It deliberately takes wrong answers as they are: the model says what is wrong with them.
 */

import { type ClusterDescription, DescriptionError, defineCluster, type Mistake, resolveCluster } from '../model/cluster';
import { DEFAULT_GAME_PORT } from '../model/defaults';
import { freeAddresses, parseMap, splitList } from './forms';
import { type Answers, NONE, type Question, type QuestionId, questions } from './questions';

type RealmInput = NonNullable<ClusterDescription['realms']>[number];
type InstanceInput = NonNullable<ClusterDescription['instances']>[number];

/** @param answers to every question that applies, as `complete` gives them */
export function describeCluster(answers: Answers): ClusterDescription {
  const text = (id: QuestionId): string => answers[id] ?? '';
  const given = (id: QuestionId): string | undefined => (answers[id] === undefined || answers[id] === NONE ? undefined : answers[id]);
  const optional = <Field extends string>(field: Field, id: QuestionId) => {
    const value = given(id);
    return value === undefined ? {} : ({ [field]: value } as Record<Field, string>);
  };
  const choice = <Choice>(id: QuestionId): Choice => text(id) as Choice;
  const endpoint = given('backup-endpoint');
  const network = {
    ...optional('pool', 'pool'),
    ...optional('ingress', 'ingress'),
    ...optional('adminIngress', 'admin-ingress'),
    ...optional('dns', 'dns'),
    ...optional('publicAddress', 'public-address'),
    ...optional('instanceNode', 'instance-node'),
  };
  const expandable = text('storage-expandable') === 'yes';
  return defineCluster({
    name: text('name'),
    kubernetes: {
      apiServer: { addresses: splitList(text('api-server')) },
      ...(text('metrics-server') === 'install' ? {} : { metricsServer: choice<'provided'>('metrics-server') }),
      ...(text('load-balancer') === 'metallb' ? {} : { loadBalancer: choice<'none'>('load-balancer') }),
    },
    nodes: parseMap(text('nodes')).entries.map(({ name, value }) => ({ name, address: value })),
    git: { repository: text('repository'), revision: text('revision') },
    domain: text('domain'),
    network,
    ...(given('storage-class') === undefined && !expandable
      ? {}
      : { storage: { ...optional('class', 'storage-class'), ...(expandable ? { expandable } : {}) } }),
    certificates:
      text('challenge') === 'self-signed'
        ? { issuer: 'self-signed' }
        : {
            issuer: 'letsencrypt',
            email: text('email'),
            ...(text('challenge') === 'dns-01' ? { dns01: { cloudflare: { zone: text('zone') } } } : {}),
          },
    ...(endpoint === undefined ? {} : { backups: { endpoint, bucket: text('backup-bucket') } }),
    game: {
      image: text('image'),
      ...optional('imageUnverified', 'image-unverified'),
      protocolId: text('protocol-id'),
      build: text('build'),
    },
    ...(given('realms') === undefined ? {} : { realms: realmsOf(answers) }),
    ...(given('instances') === undefined ? {} : { instances: splitList(text('instances')).map(instanceOf) }),
  });
}

/** Every continent a port of its own, so that the router can tell them apart whatever their address. */
function realmsOf(answers: Answers): RealmInput[] {
  const addresses = freeAddresses(answers, ['ingress', 'admin-ingress', 'dns']);
  const node = parseMap(answers.nodes ?? '').entries[0]?.name;
  let port = DEFAULT_GAME_PORT;
  return parseMap(answers.realms ?? '').entries.map(({ name, value }) => {
    const type = answers.exposure ?? '';
    const shared = type === 'shared-address' ? addresses.shift() : undefined;
    return {
      name,
      exposure: { type, ...(shared === undefined ? {} : { address: shared }) } as RealmInput['exposure'],
      continents: splitList(value, '+').map((continent) => {
        const address = type === 'own-address' ? addresses.shift() : undefined;
        return {
          name: continent,
          ...(address === undefined ? {} : { address }),
          port: port++,
          ...(type === 'host-port' && node !== undefined ? { node } : {}),
        };
      }),
    };
  });
}

/** A small one, which is easily changed: a group of five, and one server that waits for it. */
function instanceOf(name: string): InstanceInput {
  return { name, capacity: 5, autoscaling: { policy: 'buffer', ready: 1, max: 5 } };
}

/** A mistake and the question whose answer is wrong; undefined when no single one is. */
export interface AnswerMistake extends Mistake {
  readonly question: Question | undefined;
}

/** What is wrong with the answers: their forms, and everything that the model says of the description. */
export function mistakesOf(answers: Answers): AnswerMistake[] {
  const forms = questions.flatMap((question): AnswerMistake[] => {
    const answer = answers[question.id];
    if (answer === undefined) return [];
    const message = question.choices && !question.choices.includes(answer) ? notOneOf(answer, question.choices) : question.form?.(answer);
    return message === undefined ? [] : [{ path: question.fields[0] ?? question.id, message, question }];
  });
  // A field of a wrong form has no meaning that could be judged.
  if (forms.length > 0) return forms;
  try {
    resolveCluster(describeCluster(answers));
    return [];
  } catch (error) {
    if (!(error instanceof DescriptionError)) throw error;
    return error.mistakes.map((mistake) => ({ ...mistake, question: questionOf(mistake.path) }));
  }
}

function notOneOf(answer: string, choices: readonly string[]): string {
  return `'${answer}' is not allowed; it must be one of ${choices.map((choice) => `'${choice}'`).join(', ')}.`;
}

/** The question that fills the field, or the nearest field around it. */
function questionOf(path: string): Question | undefined {
  const plain = path.replace(/\[[^\]]*\]/g, '');
  for (let at = plain; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    const question = questions.find(({ fields }) => fields.includes(at));
    if (question) return question;
  }
  return undefined;
}
