import type { InvalidFixture } from '../fixture';

const provider = { name: 'authelia', title: 'Authelia', issuer: 'https://auth.homelab.io', clientId: 'mmo' };

export const fixture: InvalidFixture = {
  change: (description) => {
    description.broker = { openId: [provider, { ...provider, title: 'Another' }] };
  },
  mistakes: [
    "broker.openId[authelia].name: two providers are called 'authelia'; the client secret is sealed under the name, so give one of them another.",
  ],
};
