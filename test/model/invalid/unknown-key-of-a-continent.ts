import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].continents[0].adress = '192.168.1.245';
  },
  mistakes: ["realms[aurora].continents[eldermoor].adress: there is no such field; did you mean 'address'?"],
};
