import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    const [eldermoor] = description.realms[0].continents;
    eldermoor.adress = eldermoor.address;
    delete eldermoor.address;
  },
  mistakes: ["realms[aurora].continents[eldermoor].adress: there is no such field; did you mean 'address'?"],
};
