/**
 * Where the programs of a control plane are: KUBEBUILDER_ASSETS, the convention of envtest, names their folder.
 * It deliberately downloads and builds nothing; docs/how-to/test-on-a-real-api-server.md says how they come.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** A folder with the programs of one Kubernetes version. */
export interface Binaries {
  readonly folder: string;
  /** Such as `v1.33.13`. */
  readonly version: string;
  /** Whether the controllers, the scheduler and kwok (fake nodes) are there too; envtest brings only etcd, kube-apiserver and kubectl. */
  readonly controllers: boolean;
  /** kubectl of this version; without it, the machine's own is used where a command is run as it is printed. */
  readonly kubectl?: string;
}

const NEEDED = ['etcd', 'kube-apiserver'];
const FOR_CONTROLLERS = ['kube-controller-manager', 'kube-scheduler', 'kwok'];
const HOW = 'docs/how-to/test-on-a-real-api-server.md says how to get them.';

/**
 * The versions to test against. KUBEBUILDER_ASSETS may name several folders, separated as PATH is: one Kubernetes version each.
 * @throws Error with what is missing
 */
export function findBinaries(variable = process.env.KUBEBUILDER_ASSETS): Binaries[] {
  const folders = (variable ?? '').split(delimiter).filter((folder) => folder !== '');
  if (folders.length === 0) {
    throw new Error(
      `KUBEBUILDER_ASSETS is not set, so there is no Kubernetes API server to test against: it names the folder of etcd and kube-apiserver. ${HOW}`,
    );
  }
  return folders.map((each) => {
    const folder = resolve(each);
    const missing = NEEDED.filter((program) => !executable(folder, program));
    if (missing.length > 0) throw new Error(`KUBEBUILDER_ASSETS names ${folder}, which has no ${missing.join(' and no ')}. ${HOW}`);
    const answer = execFileSync(join(folder, 'kube-apiserver'), ['--version'], { encoding: 'utf8' });
    const version = /v\d+\.\d+\.\d+/.exec(answer)?.[0];
    if (version === undefined)
      throw new Error(`${join(folder, 'kube-apiserver')} --version says '${answer.trim()}', which names no version.`);
    return {
      folder,
      version,
      controllers: FOR_CONTROLLERS.every((program) => executable(folder, program)),
      ...(executable(folder, 'kubectl') ? { kubectl: join(folder, 'kubectl') } : {}),
    };
  });
}

/**
 * What is missing for tests of a program that may be absent, unless CLUSTER_TESTS_REQUIRE names it: a run that is to have everything must not pass by leaving tests out.
 * @param program as CLUSTER_TESTS_REQUIRE names it, in a list with commas
 * @param missing the end of a sentence, or undefined
 * @throws Error when it is missing and required
 */
export function unlessRequired(program: 'argo-cd' | 'sealed-secrets', missing: string | undefined): string | undefined {
  if (missing !== undefined && (process.env.CLUSTER_TESTS_REQUIRE ?? '').split(',').includes(program))
    throw new Error(`CLUSTER_TESTS_REQUIRE names ${program}, but ${missing}.`);
  return missing;
}

function executable(folder: string, program: string): boolean {
  try {
    accessSync(join(folder, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
