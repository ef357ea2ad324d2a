import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.database = { generation: 2 };
    delete description.backups;
  },
  mistakes: [
    'database.generation: 2 means that the database is recovered from the archive of generation 1, but the description has no backups; describe them, or leave the generation at 1.',
  ],
};
