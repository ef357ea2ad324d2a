import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].capacity = 5000;
  },
  mistakes: [
    'realms[aurora].capacity: 5000 players are more than one netcode server takes (1024); use at most 1024 and split the world into continents.',
  ],
};
