import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling = {
      policy: 'chain',
      links: [
        { name: 'a', scaling: { policy: 'on-demand', max: 4 } },
        { name: 'a', scaling: { policy: 'buffer', max: 4 } },
      ],
    };
  },
  mistakes: [
    "instances[dungeon].autoscaling.links[a].name: two links are called 'a'; Agones tells them apart by name, so give one of them another.",
  ],
};
