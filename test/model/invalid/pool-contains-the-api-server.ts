import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.kubernetes.apiServer.addresses = ['192.168.1.250'];
  },
  mistakes: [
    "network.pool: '192.168.1.240-192.168.1.254' contains '192.168.1.250', the address of the API server (kubernetes.apiServer.addresses); MetalLB would answer for a machine that exists. Choose a range without it, such as '192.168.1.240-192.168.1.249'.",
  ],
};
