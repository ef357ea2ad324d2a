import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.publicAddress = '192.168.1.1';
  },
  mistakes: [
    `network.publicAddress: '192.168.1.1' is an address of a private network (RFC 1918); write the one that a "what is my IP" page shows, a (dynamic) host name of yours, or leave the field out for players in the LAN only.`,
  ],
};
