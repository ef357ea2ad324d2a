import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.instances[0].difficulties = ['normal', 'heroic', 'normal'];
  },
  mistakes: ["instances[dungeon].difficulties: 'normal' is there twice; remove one of the two, or give it another name."],
};
