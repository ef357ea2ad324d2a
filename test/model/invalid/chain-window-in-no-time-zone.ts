import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling = {
      policy: 'chain',
      links: [
        {
          name: 'evening',
          during: { timeZone: 'Europe/Atlantis', start: '0 19 * * *', duration: '4h' },
          scaling: { policy: 'buffer', max: 4 },
        },
        { name: 'otherwise', scaling: { policy: 'on-demand', max: 4 } },
      ],
    };
  },
  mistakes: [
    "instances[dungeon].autoscaling.links[evening].during.timeZone: 'Europe/Atlantis' is no time zone that is known; use a name such as 'Europe/Berlin' or 'UTC'.",
  ],
};
