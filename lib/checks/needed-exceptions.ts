/**
 * Every exception silences a real violation: one that names an unknown rule or field, or that nothing needs any more, is refused.
 * It deliberately judges no reason; people who review do. It runs after all others, because only then is it known what was silenced.
 */
import { type Check, violation } from './types';

export const neededExceptions: Check = {
  id: 'needed-exceptions',
  why: 'An exception that silences nothing tells reviewers of a departure that does not exist, and would hide the next real one at that place.',
  run: (input) =>
    input.objects.flatMap((object) =>
      object.exceptions
        .filter((exception) => !input.wasNeeded(exception))
        .map((exception) =>
          violation(
            neededExceptions,
            object,
            `The exception from '${exception.rule}' silences nothing.`,
            `Remove it, or correct its rule and field; the field is the full path of the violation, such as 'spec.template.spec.containers[game].securityContext'.`,
            exception.field,
          ),
        ),
    ),
};
