/**
 * Asks a person one question after the other, each with its proposal, and judges every answer together with those before it.
 * It deliberately writes nothing; answers that were given beforehand are judged like those of a person, and asked again when they are wrong.
 */
import { mistakesOf } from './describe';
import { type Answers, complete, type Question, questions, type Surroundings } from './questions';

export interface Conversation {
  /** Asks with an echo; an empty text takes the proposal. */
  readonly ask: (question: string) => Promise<string>;
  readonly say: (line: string) => void;
}

/** @returns an answer to every question that applies */
export async function askAll(given: Answers, surroundings: Surroundings, { ask, say }: Conversation): Promise<Answers> {
  let answers: Answers = {};
  for (const question of questions) {
    const before = complete(answers, surroundings).answers;
    if (question.applies?.(before) === false) continue;
    const beforehand = given[question.id];
    if (beforehand !== undefined && judge({ ...answers, [question.id]: beforehand }, surroundings, say)) {
      answers = { ...answers, [question.id]: beforehand };
      continue;
    }
    const proposal = question.proposal(before, surroundings);
    for (;;) {
      const answer = (await ask(textOf(question, proposal))).trim() || proposal;
      if (answer === undefined) {
        say('  There is nothing to propose here; only you know it.');
        continue;
      }
      const next = { ...answers, [question.id]: answer };
      if (!judge(next, surroundings, say)) continue;
      answers = next;
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
