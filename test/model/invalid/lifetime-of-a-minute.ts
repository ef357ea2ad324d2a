import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].lifetimeMinutes = 1;
  },
  mistakes: ['instances[dungeon].lifetimeMinutes: 1 is too small: it must be at least 10.'],
};
