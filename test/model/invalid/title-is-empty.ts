import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].title = '';
  },
  mistakes: ['realms[aurora].title: must not be empty.'],
};
