/**
 * Every object has the shape that its schema wants: fields that exist, with values of their type and range, as an API server with strict field validation.
 * It deliberately knows nothing of other objects and of rules written in CEL; the test against a real API server does.
 */
import { objectsValidator } from '../schemas';
import { type Check, type Violation, violation } from './types';

export const validSchema: Check = {
  id: 'valid-schema',
  why: 'The API server refuses an object of another shape, and with it the whole sync; a field that does not exist is dropped in silence where the server is not strict.',
  run: (input) => {
    const violations: Violation[] = [];
    const validate = objectsValidator();
    for (const object of input.objects) {
      for (const { path, message } of validate(object.manifest)) {
        violations.push(
          violation(
            validSchema,
            object,
            message,
            `Write the field as the schema wants it, in the component that makes ${object.manifest.kind} '${object.manifest.metadata.name}'.`,
            path || undefined,
          ),
        );
      }
    }
    return violations;
  },
};
