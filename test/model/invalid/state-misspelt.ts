import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].state = 'retire';
  },
  mistakes: [`realms[aurora].state: "retire" is not allowed; did you mean 'retired'? It must be one of 'active', 'retired'.`],
};
