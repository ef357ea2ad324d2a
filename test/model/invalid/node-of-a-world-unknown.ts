import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].continents[0].node = 'node-9';
  },
  mistakes: ["realms[aurora].continents[eldermoor].node: the cluster has no node 'node-9'; it has 'node-1', 'node-2'."],
};
