/**
 * Collects what one check finds and leaves out what an object is allowed to depart from, by the field that the violation would name.
 * It deliberately is for checks whose rule may be departed from; the others make their violations themselves, and no exception silences them.
 */
import type { BuiltObject } from '../build';
import { type Check, type CheckInput, type Violation, violation } from './types';

export class Report {
  readonly violations: Violation[] = [];

  constructor(
    private readonly input: CheckInput,
    private readonly check: Pick<Check, 'id'>,
  ) {}

  /** @param field path in the object, which is also the field of an exception */
  say(object: BuiltObject, field: string, message: string, fix: string): void {
    if (object.exceptions.length > 0 && this.input.excepted(object, this.check.id, field)) return;
    this.violations.push(violation(this.check, object, message, fix, field));
  }
}
