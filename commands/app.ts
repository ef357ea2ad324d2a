/** The app of cdk8s.yaml: `npx cdk8s synth` gives the same tree in the folder that cdk8s names (a scratch folder; it deletes it first, so it is never dist). */
import path from 'node:path';
import { clusters } from '../apps';
import { readTree, writeTree } from '../lib/emit/writer';
import { synthesize } from '../lib/synth';
import { runCommand } from './options';

export const main = (): Promise<number> =>
  runCommand(() => {
    const directory = path.resolve(process.env.CDK8S_OUTDIR ?? '.cdk8s-out');
    if (directory === path.resolve('dist')) {
      console.error(
        "cdk8s deletes its output folder before it knows whether the app works; dist is written by 'npm run synth' only. Use another folder.",
      );
      return 2;
    }
    writeTree(directory, readTree(directory), synthesize(clusters).files);
    return 0;
  });
