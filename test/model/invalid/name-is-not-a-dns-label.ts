import type { InvalidFixture } from '../fixture';

export const fixture: InvalidFixture = {
  change: (description) => {
    description.realms[0].name = 'Aurora_1';
  },
  mistakes: [
    'realms[Aurora_1].name: "Aurora_1" is wrong: it must be a DNS label: lower-case letters, digits and hyphens, beginning with a letter, at most 40 characters, such as "aurora".',
  ],
};
