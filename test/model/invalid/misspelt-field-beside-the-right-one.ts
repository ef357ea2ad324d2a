import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.relms = description.realms;
    description.realms = [];
    description.instances = [];
  },
  mistakes: [
    "relms: there is no such field; did you mean 'realms'?",
    'realms: there is nothing to play: describe at least one realm, or at least one content type in instances.',
  ],
};
