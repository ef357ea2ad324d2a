import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[1].continents[0].port = 70000;
  },
  mistakes: ['realms[borealis].continents[frosthold].port: 70000 is too big: it must be at most 65535.'],
};
