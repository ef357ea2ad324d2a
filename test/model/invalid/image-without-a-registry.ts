import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.game.image = 'mmo-server:1.0.0';
  },
  mistakes: [
    'game.image: "mmo-server:1.0.0" is wrong: it must be a full image reference with registry, repository and tag, such as "ghcr.io/you/mmo-server:0.4.2@sha256:…".',
  ],
};
