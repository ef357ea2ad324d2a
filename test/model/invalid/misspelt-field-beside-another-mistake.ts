import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].capcity = 100;
    description.game.image = 'ghcr.io/you/mmo-server:1.0.0';
  },
  mistakes: [
    "realms[aurora].capcity: there is no such field; did you mean 'capacity'?",
    "game.image: 'ghcr.io/you/mmo-server:1.0.0' has no digest, so the same tag may be another program tomorrow; add the '@sha256:…' that your build prints, or say in game.imageUnverified why there is none.",
  ],
};
