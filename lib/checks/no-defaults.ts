/**
 * What a field means anyway when it is left out is not written.
 * It deliberately compares single fields with the table of api-defaults.ts, which also says which defaults are written on purpose.
 */
import { apiDefaults } from './api-defaults';
import { type CleanParts, FieldWalk } from './fields';
import { Report } from './report';
import type { Check } from './types';

export const noDefaults: Check = {
  id: 'no-defaults',
  why: 'A default that is written hides what was decided among what was not, and where the server drops or rewrites it Argo CD sees a difference that never goes.',
  run: (input) => {
    const report = new Report(input, noDefaults);
    const clean: CleanParts = new Map();
    for (const { kind, apiVersion, walk } of walks()) {
      for (const object of input.ofKind(kind)) {
        if (object.manifest.apiVersion !== apiVersion) continue;
        for (const { path, finding } of walk.find(object.manifest, clean)) {
          report.say(object, path, `${finding} is the default here.`, 'Leave the field out.');
        }
      }
    }
    return report.violations;
  },
};

let ready: { readonly apiVersion: string; readonly kind: string; readonly walk: FieldWalk<string> }[] | undefined;

function walks() {
  ready ??= Object.entries(apiDefaults).map(([id, tree]) => {
    const [apiVersion = '', kind = ''] = id.split(' ');
    return { apiVersion, kind, walk: new FieldWalk(tree) };
  });
  return ready;
}
