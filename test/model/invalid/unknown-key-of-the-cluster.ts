import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.relms = description.realms;
  },
  mistakes: ["relms: there is no such field; did you mean 'realms'?"],
};
