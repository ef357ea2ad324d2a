import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling = { policy: 'list', list: 'players', free: 30, max: 4 };
  },
  mistakes: [
    'instances[dungeon].autoscaling.free: 30 free places are more than 4 servers of 5 hold together (20); use at most 20, or raise max to 6.',
  ],
};
