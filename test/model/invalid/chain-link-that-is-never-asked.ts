import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling = {
      policy: 'chain',
      links: [
        { name: 'always', scaling: { policy: 'buffer', max: 4 } },
        { name: 'never', scaling: { policy: 'on-demand', max: 4 } },
      ],
    };
  },
  mistakes: [
    "instances[dungeon].autoscaling.links[always].during: is missing: the policy 'buffer' always answers, so the links after it are never asked; give it a window, or make it the last.",
  ],
};
