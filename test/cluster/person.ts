/** What a person at a cluster does in tests: runs a printed command with kubectl, and waits until a world is ready. It deliberately knows no command. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path, { delimiter, dirname } from 'node:path';
import { findBinaries } from './binaries';
import type { Client } from './client';
import { kubeconfigText } from './control-plane';
import { eventually } from './judge';
import type { TestPlane } from './planes';

/**
 * Runs commands as they are printed, with the kubectl of the server's version.
 * @param folder gets the kubeconfig
 * @returns what a command says; throws when it fails
 */
export function personAt(plane: TestPlane, folder: string): (command: string) => string {
  const kubeconfig = path.join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(plane), { mode: 0o600 });
  const kubectl = findBinaries().find(({ version }) => version === plane.version)?.kubectl;
  return (command) =>
    execFileSync('bash', ['-euo', 'pipefail', '-c', command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        KUBECONFIG: kubeconfig,
        PATH: `${kubectl === undefined ? '' : `${dirname(kubectl)}${delimiter}`}${process.env.PATH}`,
      },
    });
}

/** The pods of a continent, once one of them is ready. */
export function readyPods(client: Client, namespace: string, continent: string) {
  return eventually(
    () => client.list(`/api/v1/namespaces/${namespace}/pods?labelSelector=mmo/continent=${continent}`),
    (pods) =>
      pods.some(({ status }) =>
        status?.conditions?.some((each: { type: string; status: string }) => each.type === 'Ready' && each.status === 'True'),
      ),
  );
}
