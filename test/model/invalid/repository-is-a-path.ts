import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.git.repository = '/srv/git/mmo';
  },
  mistakes: ['git.repository: "/srv/git/mmo" is wrong: it must be an https://, ssh:// or git@host:path address of a Git repository.'],
};
