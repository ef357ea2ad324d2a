/** Addresses of Git repositories as they are shown: without what nobody should see. */
import { withoutCredentials } from '../../lib/git-address';

test.each([
  ['https://you:TOKEN@git.example.org/you/mmo.git', 'https://git.example.org/you/mmo.git'],
  ['https://TOKEN@git.example.org/you/mmo.git', 'https://git.example.org/you/mmo.git'],
  ['ssh://git:PASSWORD@git.example.org/you/mmo.git', 'ssh://git@git.example.org/you/mmo.git'],
  ['ssh://git@git.example.org:2222/you/mmo.git', 'ssh://git@git.example.org:2222/you/mmo.git'],
  ['git@git.example.org:you/mmo.git', 'git@git.example.org:you/mmo.git'],
])('%s is shown as %s', (address, shown) => {
  expect(withoutCredentials(address)).toBe(shown);
});
