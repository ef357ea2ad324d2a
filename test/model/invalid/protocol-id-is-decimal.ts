import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.game.protocolId = '1234';
  },
  mistakes: ["game.protocolId: '1234' is not an unsigned 64-bit number in hexadecimal, such as '0x4d4d4f0000000001'."],
};
