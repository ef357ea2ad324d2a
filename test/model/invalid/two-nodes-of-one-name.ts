import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.nodes[1].name = 'node-1';
    description.network.instanceNode = 'node-1';
  },
  mistakes: ["nodes[node-1].name: two nodes are called 'node-1'; write each node once, under the name that `kubectl get nodes` shows."],
};
