/** The versions that the doctor asks for are those that the rest of the project is written for and tested with. */
import { readFileSync } from 'node:fs';
import { OLDEST_TERRAFORM } from '../../lib/doctor/machine';
import { isAtLeast, KUBERNETES } from '../../lib/doctor/versions';

test('the oldest Terraform is the one that the modules require', () => {
  const required = /required_version = ">= ([^"]+)"/.exec(readFileSync('terraform/modules/bootstrap/versions.tf', 'utf8'))?.[1];
  expect(OLDEST_TERRAFORM).toBe(required);
});

test('the range of Kubernetes ends with the API servers that objects are tried on', () => {
  const versions = /^VERSIONS=\((.+)\)$/m.exec(readFileSync('.ci/control-plane.sh', 'utf8'))?.[1]?.split(' ') ?? [];
  expect([KUBERNETES.oldest, KUBERNETES.newest]).toEqual([versions[0], versions.at(-1)].map((version) => version?.match(/\d+\.\d+/)?.[0]));
});

test.each([
  ['v1.34.2+k3s1', '1.33', true],
  ['1.9', '1.10', false],
  ['1.33', '1.33.0', true],
  ['20.19.0', '20.19', true],
])('%s is at least %s: %s', (version, oldest, answer) => {
  expect(isAtLeast(version, oldest)).toBe(answer);
});
