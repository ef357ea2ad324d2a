import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.game.image = 'ghcr.io/you/mmo-server:1.0.0';
  },
  mistakes: [
    "game.image: 'ghcr.io/you/mmo-server:1.0.0' has no digest, so the same tag may be another program tomorrow; add the '@sha256:…' that your build prints, or say in game.imageUnverified why there is none.",
  ],
};
