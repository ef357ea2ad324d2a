import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling = { policy: 'list', list: 'rooms', free: 4, max: 4 };
  },
  mistakes: [
    "instances[dungeon].autoscaling.list: 'rooms' is no list of 'dungeon'; Agones accepts it and never scales. Use 'players' (rooms are a Counter: policy: 'counter' keeps them free).",
  ],
};
