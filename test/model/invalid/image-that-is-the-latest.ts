import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.game.image = 'ghcr.io/you/mmo-server:latest';
    description.game.imageUnverified = 'this is what the build pushes';
  },
  mistakes: [
    "game.image: 'ghcr.io/you/mmo-server:latest' has the tag 'latest', which says no version: a new build would change nothing here, so that no world would ever get it. Write the version, such as 'ghcr.io/you/mmo-server:0.4.2'.",
  ],
};
