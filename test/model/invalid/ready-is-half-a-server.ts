import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling.ready = 2.5;
  },
  mistakes: ["instances[dungeon].autoscaling.ready: 2.5 is wrong: it must be a whole number of at least 1, or a percentage such as '20%'."],
};
