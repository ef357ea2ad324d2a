import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].resources = { cpu: '0' };
  },
  mistakes: ["realms[aurora].resources.cpu: '0' is nothing; write what it really needs, such as '500m'."],
};
