/**
 * Steps that a person takes at a cluster: a heading, commands in order, and what to look at, as text for a terminal and as a page.
 * It deliberately runs none of them: what ends a world's session or moves its volume is somebody's decision, with eyes on it.
 */

export interface Step {
  /** What it does, as an imperative, such as `Stop the world`. */
  readonly title: string;
  /** Shell commands, in order. They may share variables with earlier steps, so all are run in one shell. */
  readonly commands: readonly string[];
  /** What to know before, or to look at afterwards. */
  readonly note?: string;
}

export interface StepList {
  readonly title: string;
  /** What it is about, and what is lost or felt. */
  readonly about: readonly string[];
  readonly steps: readonly Step[];
  /** What is not part of the way but may be needed afterwards, such as the way back. */
  readonly afterwards: readonly Step[];
}

/** A command that sets a variable for later ones. */
const SHARED = /^[A-Z_]+=/m;

/** The list as Markdown, which is as readable in a terminal. Commands are indented by four, so that they can be copied. */
export function stepsText({ title, about, steps, afterwards }: StepList): string {
  const block = ({ title: heading, commands, note }: Step, prefix: string): string =>
    [
      `## ${prefix}${heading}`,
      ...(note === undefined ? [] : [note]),
      ...(commands.length === 0 ? [] : [commands.map((each) => `    ${each}`).join('\n')]),
    ].join('\n\n');
  return [
    `# ${title}`,
    ...about,
    ...(SHARED.test(steps.flatMap(({ commands }) => commands).join('\n'))
      ? ['Run everything in one shell: later commands use variables of earlier ones.']
      : []),
    ...steps.map((step, index) => block(step, `${index + 1}. `)),
    ...afterwards.map((step) => block(step, '')),
  ]
    .join('\n\n')
    .concat('\n');
}
