import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.instanceNode = 'node-9';
  },
  mistakes: ["network.instanceNode: the cluster has no node 'node-9'; it has 'node-1', 'node-2'."],
};
