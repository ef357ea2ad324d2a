import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].storage = '20 GiB';
  },
  mistakes: ["realms[aurora].storage: '20 GiB' is not a Kubernetes quantity; did you mean '20Gi'?"],
};
