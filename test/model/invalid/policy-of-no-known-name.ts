import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling = { policy: 'bufer', max: 3 };
  },
  mistakes: [
    "instances[dungeon].autoscaling.policy: \"bufer\" is not allowed; did you mean 'buffer'? It must be one of 'buffer', 'counter', 'list', 'on-demand', 'schedule', 'chain'.",
  ],
};
