import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].placement = { nodeLabels: { 'kubernetes.io/hostname': 'node-1' } };
  },
  mistakes: [
    "realms[aurora].placement.nodeLabels: 'kubernetes.io/hostname' names one node; write node: 'node-1' at the continent, or network.instanceNode for instances, where the name is checked.",
  ],
};
