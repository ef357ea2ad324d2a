import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].autoscaling = {
      policy: 'schedule',
      windows: [{ name: 'evening', timeZone: 'UTC', start: '0 19 * * *', duration: '4h', ready: 1, max: 2 }],
      otherwise: { max: 2 },
      max: 4,
    };
  },
  mistakes: [
    "instances[dungeon].autoscaling.max: is a field of { policy: 'buffer' }, { policy: 'counter' }, { policy: 'list' } and { policy: 'on-demand' }, not of { policy: 'schedule' }; remove it, or change the policy.",
  ],
};
