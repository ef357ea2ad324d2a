import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].exposure = { type: 'nodeport' };
  },
  mistakes: ["realms[aurora].exposure.type: \"nodeport\" is not allowed; it must be one of 'own-address', 'shared-address', 'host-port'."],
};
