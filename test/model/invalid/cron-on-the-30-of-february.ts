import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.backups.databaseSchedule = '15 3 30-31 feb ?';
  },
  mistakes: [
    "backups.databaseSchedule: '15 3 30-31 feb ?' never comes: no month 'feb' has a day '30-31'; use at most 28 (29 is there in leap years only) as day of the month.",
  ],
};
