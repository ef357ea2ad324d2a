import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].resources = { memory: '2GB' };
  },
  mistakes: ["realms[aurora].resources.memory: '2GB' is not a Kubernetes quantity; did you mean '2G' or '2Gi'?"],
};
