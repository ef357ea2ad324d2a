import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.publicAddress = '100.72.3.4';
  },
  mistakes: [
    "network.publicAddress: '100.72.3.4' is in 100.64.0.0/10, which your provider shares between customers, so nobody reaches you there; ask it for a public address, or leave the field out for players in the LAN only.",
  ],
};
