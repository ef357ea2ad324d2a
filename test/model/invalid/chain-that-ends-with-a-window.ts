import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling = {
      policy: 'chain',
      links: [
        {
          name: 'evening',
          during: { timeZone: 'Europe/Berlin', start: '0 19 * * *', duration: '4h' },
          scaling: { policy: 'buffer', max: 4 },
        },
      ],
    };
  },
  mistakes: [
    "instances[dungeon].autoscaling.links[evening].during: it is the last link, so outside of its window nothing would decide and the Fleet would stay as it is; leave 'during' out, or add a link without one.",
  ],
};
