import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.backups.databaseSchedule = '0 15 3 * * *';
  },
  mistakes: ['backups.databaseSchedule: "0 15 3 * * *" is wrong: it must be a cron schedule of five fields, such as "30 4 * * *".'],
};
