/**
 * Asks a person one question after the other, each with its proposal, and judges every answer together with those before it.
 * It deliberately writes nothing but what it is given to remember answers with; answers that were given beforehand are judged like those of a person, and asked again when they are wrong.
 */
import { mistakesOf } from './describe';
import { type Answers, complete, type Question, questions, type Surroundings } from './questions';
import { type Memory, REMEMBERED_FILE } from './remembered';

export interface Conversation {
  /** Asks with an echo; an empty text takes the proposal. */
  readonly ask: (question: string) => Promise<string>;
  readonly say: (line: string) => void;
}

/**
 * @param memory of answers that a person gave in an earlier run for the same cluster: proposed again where they are right, and noted as they are given. @default none
 * @returns an answer to every question that applies
 */
export async function askAll(
  given: Answers,
  surroundings: Surroundings,
  { ask, say }: Conversation,
  { remembered, remember }: Memory = { remembered: {}, remember: () => undefined },
): Promise<Answers> {
  let answers: Answers = {};
  let notes = remembered;
  const accept = ({ id }: Question, answer: string, derived: string | undefined): void => {
    answers = { ...answers, [id]: answer };
    // Another cluster's addresses are no proposals for this one.
    if (id === 'name' && answer !== remembered.name) notes = {};
    const { [id]: _before, ...others } = notes;
    notes = id === 'name' || answer !== derived ? { ...others, [id]: answer } : others;
    remember(notes);
  };
  if (Object.keys(remembered).length > 0) say(`Proposals are the answers of the last run, where there are some (${REMEMBERED_FILE}).`);
  for (const question of questions) {
    const before = complete(answers, surroundings).answers;
    if (question.applies?.(before) === false) continue;
    const derived = question.proposal(before, surroundings);
    const beforehand = given[question.id];
    if (beforehand !== undefined && judge({ ...answers, [question.id]: beforehand }, surroundings, say)) {
      accept(question, beforehand, derived);
      continue;
    }
    const noted = notes[question.id];
    const proposal = noted !== undefined && judge({ ...answers, [question.id]: noted }, surroundings, () => undefined) ? noted : derived;
    for (;;) {
      const answer = (await ask(textOf(question, proposal))).trim() || proposal;
      if (answer === undefined) {
        say('  There is nothing to propose here; only you know it.');
        continue;
      }
      if (!judge({ ...answers, [question.id]: answer }, surroundings, say)) continue;
      accept(question, answer, derived);
      break;
    }
  }
  return answers;
}

function textOf({ ask, choices }: Question, proposal: string | undefined): string {
  return `${ask}${choices ? ` (${choices.join(', ')})` : ''}${proposal === undefined ? '' : ` [${proposal}]`}: `;
}

/** Whether the answers so far are right; says what is wrong. What nobody was asked yet is not judged. */
function judge(answers: Answers, surroundings: Surroundings, say: (line: string) => void): boolean {
  const wrong = mistakesOf(complete(answers, surroundings).answers).filter(
    ({ question }) => !question || answers[question.id] !== undefined,
  );
  for (const { path, message } of wrong) say(`  ${path}: ${message}`);
  return wrong.length === 0;
}
