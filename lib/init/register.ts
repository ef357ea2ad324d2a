/**
 * The one line of apps/index.ts by which a cluster is synthesized. It deliberately changes only a file of the form that it has here: one import and one name each.
 */
import { SecretsError } from '../secrets/sealing';
import { constantName } from './render';

/**
 * The text of apps/index.ts with the cluster; the same text when it has it.
 * @throws SecretsError with the two lines for a person, when the file has another form
 */
export function registerCluster(index: string, cluster: string): string {
  const constant = constantName(cluster);
  const importLine = `import { ${constant} } from './${cluster}';`;
  const listed = /^export const clusters = \[([^\]]*)\];$/m.exec(index);
  const names = (listed?.[1] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const imported = index.split('\n').includes(importLine);
  if (listed && imported && names.includes(constant)) return index;
  const imports = [...index.matchAll(/^import \{ \w+ \} from '\.\/[-a-z0-9]+';$/gm)].map(([line]) => line);
  const taken = index.includes(`{ ${constant} }`) && !imported;
  if (!listed || imports.length === 0 || !index.includes(imports.join('\n')) || taken || names.some((name) => !/^\w+$/.test(name))) {
    throw new SecretsError([
      `apps/index.ts has another form than 'npm run init' knows; add the cluster yourself and run it again: the line "${importLine}", and ${constant} in the list 'clusters'.`,
    ]);
  }
  const sorted = [...imports, importLine].sort();
  const withImport = imported ? index : index.replace(imports.join('\n'), sorted.join('\n'));
  const list = names.includes(constant) ? names : [...names, constant];
  const oneLine = `export const clusters = [${list.join(', ')}];`;
  const text = oneLine.length <= 140 ? oneLine : `export const clusters = [\n${list.map((name) => `  ${name},`).join('\n')}\n];`;
  return withImport.replace(listed[0], text);
}
