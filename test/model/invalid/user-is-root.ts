import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.game.user = 0;
  },
  mistakes: ['game.user: 0 is too small: it must be at least 1.'],
};
