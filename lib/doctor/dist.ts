/**
 * Whether dist and imports are what their sources make: what `npm run check` proves, in one line each.
 * It deliberately lists no violations; `npm run check` does.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { verifyImports } from '../imports/lock';
import { SynthesisError } from '../synth';
import { synthesizeToDisk } from '../synth-to-disk';
import { type Finding, failed, ok, type ProjectContext, type ProjectGroup, skipped, some } from './types';

export const dist: ProjectGroup = {
  name: 'dist',
  scope: 'project',
  look: (context) => [fresh(context), imports(context)],
};

function fresh({ root, descriptions }: ProjectContext): Finding {
  try {
    const { change } = synthesizeToDisk({
      descriptions,
      directory: path.join(root, 'dist'),
      secretsDirectory: path.join(root, 'secrets'),
      dryRun: true,
    });
    const differing = [...change.added, ...change.changed, ...change.removed];
    return differing.length === 0
      ? ok('dist', `dist/ is what apps/ makes (${change.unchanged} files).`)
      : failed(
          'dist',
          `${differing.length} file${differing.length === 1 ? '' : 's'} of dist/ ${differing.length === 1 ? 'is' : 'are'} not what apps/ makes: ${some(differing)}.`,
          'npm run synth, review, commit',
        );
  } catch (error) {
    if (!(error instanceof SynthesisError)) throw error;
    const [first = ''] = error.sentences;
    const rest = error.sentences.length - 1;
    return failed('dist', `The synth refuses: ${oneLine(first)}${rest > 0 ? ` (and ${rest} more)` : ''}`, 'npm run check shows all of it');
  }
}

function imports({ root }: ProjectContext): Finding {
  if (!existsSync(path.join(root, 'node_modules', 'cdk8s-cli')))
    return skipped('imports', 'Not looked at, because the packages are not installed.');
  const problems = verifyImports(root);
  return problems.length === 0
    ? ok('imports', 'imports/ is what cdk8s.yaml and imports/lock.json name.')
    : failed('imports', oneLine(problems[0] ?? ''), 'npm run import');
}

function oneLine(sentence: string): string {
  const text = sentence.replace(/\s*\n\s*/g, ' ');
  return text.length > 240 ? `${text.slice(0, 240)}…` : text;
}
