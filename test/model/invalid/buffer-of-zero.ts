import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling.ready = 0;
  },
  mistakes: ['instances[dungeon].autoscaling.ready: 0 is too small: it must be at least 1.'],
};
