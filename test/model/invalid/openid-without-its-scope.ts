import type { InvalidFixture } from '../fixture';

const provider = { name: 'authelia', title: 'Authelia', issuer: 'https://auth.homelab.io', clientId: 'mmo' };

export const fixture: InvalidFixture = {
  change: (description) => {
    description.broker = { openId: [{ ...provider, scopes: ['profile'] }] };
  },
  mistakes: [
    "broker.openId[authelia].scopes: they lack 'openid', without which an issuer does not say who somebody is; use ['openid', …].",
  ],
};
