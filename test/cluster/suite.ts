/**
 * Every claim about the clusters of dist, on every Kubernetes version of the run, in an order that matters: what deletes comes last.
 * It deliberately does not know their names. The control planes are dealt out to several files, because jest runs files side by side and tests of a file never.
 */
import { isAccepted } from './accepted';
import { keepsBrokerRights } from './broker-rights';
import { Judge } from './judge';
import { runningPlanes } from './planes';
import { isAdmitted } from './pod-security';
import { isProtectedFromPruning } from './pruning';
import { runsOnNodes } from './workloads';

/** @param share number of this file, from 0; @param shares how many files there are */
export function judgeShare(share: number, shares: number): void {
  const planes = runningPlanes().filter((_plane, index) => index % shares === share);
  if (planes.length === 0) {
    test.skip('nothing is left for this file: the others judge every control plane of this run', () => undefined);
    return;
  }
  describe.each(planes.map((plane) => ({ plane, version: plane.version, cluster: plane.cluster })))(
    'dist/$cluster on Kubernetes $version',
    ({ plane }) => {
      let made: Judge | undefined;
      const judge = (): Judge => {
        made ??= new Judge(plane);
        return made;
      };
      beforeAll(async () => {
        await judge().client.discover();
      });
      afterAll(() => made?.client.close());

      describe('what the API server takes', () => isAccepted(judge));
      describe('Pod Security', () => isAdmitted(judge));
      describe("the broker's rights", () => keepsBrokerRights(judge));
      if (plane.controllers) {
        describe('workloads', () => runsOnNodes(judge));
        describe('pruning', () => isProtectedFromPruning(judge));
      } else {
        test.skip(`workloads and pruning are not judged: ${plane.version} is here without kube-controller-manager, kube-scheduler and kwok`, () =>
          undefined);
      }
    },
  );
}
