import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].storage = '20GB';
  },
  mistakes: ["realms[aurora].storage: '20GB' is not a Kubernetes quantity; did you mean '20G' or '20Gi'?"],
};
