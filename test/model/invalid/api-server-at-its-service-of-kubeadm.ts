import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.kubernetes.apiServer.addresses = ['10.96.0.1'];
  },
  mistakes: [
    "kubernetes.apiServer.addresses: '10.96.0.1' is the Service's own address: policies act after its translation; write the control-plane node's, such as '192.168.1.11'.",
  ],
};
