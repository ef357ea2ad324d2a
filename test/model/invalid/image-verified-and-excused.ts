import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.game.imageUnverified = 'there is no reason at all';
  },
  mistakes: ['game.imageUnverified: the image has a digest, so there is nothing to excuse; remove this field.'],
};
