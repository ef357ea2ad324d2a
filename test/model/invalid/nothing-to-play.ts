import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms = [];
    description.instances = [];
  },
  mistakes: ['realms: there is nothing to play: describe at least one realm, or at least one content type in instances.'],
};
