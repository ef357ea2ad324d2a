import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling = {
      policy: 'chain',
      links: [{ name: 'otherwise', scaling: { policy: 'on-demand', warm: 5, max: 4 } }],
    };
  },
  mistakes: [
    'instances[dungeon].autoscaling.links[otherwise].scaling.warm: 5 warm servers are more than max (4); use at most 4, or raise max.',
  ],
};
