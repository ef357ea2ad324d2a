import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.network.publicAddress = 'https://home.homelab.io';
  },
  mistakes: [
    `network.publicAddress: "https://home.homelab.io" is wrong: it must be an IPv4 address such as '203.0.113.7' or a host name in lower case such as 'home.example.net', without a scheme (https://) and without a port.`,
  ],
};
