import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.git.repository = `https://you:${'t'.repeat(8)}@github.com/you/mmo-backend.git`;
  },
  mistakes: [
    "git.repository: has credentials in it, which would be in plain text in every Application; write 'https://github.com/you/mmo-backend.git' and give Argo CD a repository credential instead.",
  ],
};
