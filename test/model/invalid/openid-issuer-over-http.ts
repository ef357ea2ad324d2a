import type { InvalidFixture } from '../fixture';

const provider = { name: 'authelia', title: 'Authelia', issuer: 'https://auth.homelab.io', clientId: 'mmo' };

export const fixture: InvalidFixture = {
  change: (description) => {
    description.broker = { openId: [{ ...provider, issuer: 'http://auth.homelab.io' }] };
  },
  mistakes: [
    'broker.openId[authelia].issuer: "http://auth.homelab.io" is wrong: it must be the issuer exactly as it names itself, such as "https://auth.homelab.io".',
  ],
};
