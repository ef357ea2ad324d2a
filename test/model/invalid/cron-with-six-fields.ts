import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.backups.databaseSchedule = '0 15 3 * * *';
  },
  mistakes: ["backups.databaseSchedule: '0 15 3 * * *' has 6 fields; a schedule has five, such as '0 19 * * 5'."],
};
