import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.monitoring = { notify: { quietHours: { from: '24:00', to: '7:00', timeZone: 'Europe/Berlin' } } };
  },
  mistakes: [
    'monitoring.notify.quietHours.from: "24:00" is wrong: it must be a time of the day such as "23:00".',
    'monitoring.notify.quietHours.to: "7:00" is wrong: it must be a time of the day such as "23:00".',
  ],
};
