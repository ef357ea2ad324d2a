/**
 * What a field means anyway when it is left out is not written.
 * It deliberately compares single fields with the table of api-defaults.ts, which also says which defaults are written on purpose.
 */
import { apiDefaults } from './api-defaults';
import { findIn } from './fields';
import { Report } from './report';
import type { Check } from './types';

export const noDefaults: Check = {
  id: 'no-defaults',
  why: 'A default that is written hides what was decided among what was not, and where the server drops or rewrites it Argo CD sees a difference that never goes.',
  run: (input) => {
    const report = new Report(input, noDefaults);
    for (const object of input.objects) {
      const { manifest } = object;
      const defaults = apiDefaults[`${manifest.apiVersion} ${manifest.kind}`];
      if (defaults === undefined) continue;
      for (const { path, finding } of findIn(defaults, manifest)) {
        report.say(object, path, `${finding} is the default here.`, 'Leave the field out.');
      }
    }
    return report.violations;
  },
};
