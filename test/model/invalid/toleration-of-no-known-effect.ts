import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].placement = { tolerations: [{ key: 'games', effect: 'Never' }] };
  },
  mistakes: [
    "instances[dungeon].placement.tolerations[0].effect: \"Never\" is not allowed; it must be one of 'NoSchedule', 'PreferNoSchedule', 'NoExecute'.",
  ],
};
