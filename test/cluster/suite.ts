/**
 * Every claim about one cluster, on every Kubernetes version of the run, in an order that matters: what deletes comes last.
 */
import { isAccepted } from './accepted';
import { keepsBrokerRights } from './broker-rights';
import { Judge } from './judge';
import { planesOf } from './planes';
import { isAdmitted } from './pod-security';
import { isProtectedFromPruning } from './pruning';
import { runsOnNodes } from './workloads';

export function judgeCluster(cluster: string): void {
  describe.each(planesOf(cluster).map((plane) => ({ plane, version: plane.version })))(
    `dist/${cluster} on Kubernetes $version`,
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
