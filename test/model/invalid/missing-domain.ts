import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    delete description.domain;
  },
  mistakes: ['domain: is missing; it must be a text.'],
};
