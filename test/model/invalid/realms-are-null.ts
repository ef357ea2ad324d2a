import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms = null;
  },
  mistakes: ['realms: is null; it must be a list.'],
};
