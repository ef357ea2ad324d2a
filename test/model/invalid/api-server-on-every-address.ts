import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.kubernetes.apiServer.addresses = ['0.0.0.0'];
  },
  mistakes: [
    "kubernetes.apiServer.addresses: '0.0.0.0' is what a server listens on, and nobody reaches it there; write the control-plane node's, such as '192.168.1.11'.",
  ],
};
