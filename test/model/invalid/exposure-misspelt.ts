import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].exposure.type = 'own-adress';
  },
  mistakes: [
    `realms[aurora].exposure.type: "own-adress" is not allowed; did you mean 'own-address'? It must be one of 'own-address', 'shared-address', 'host-port'.`,
  ],
};
