/**
 * Which hosts a rule of Traefik answers for, as lib/checks/traefik-rule.ts reads it.
 */
import { hostsOf } from '../../lib/checks/traefik-rule';

const hosts = (match: string): string[] | 'any' => {
  const found = hostsOf(match);
  return found === 'any' ? found : [...found].sort();
};

describe('the hosts of a Traefik rule', () => {
  it.each([
    ['Host(`a.org`)', ['a.org']],
    ['Host(`a.org`, `b.org`)', ['a.org', 'b.org']],
    ['Host("A.org")', ['a.org']],
    ['Host(`a.org`) && PathPrefix(`/x`)', ['a.org']],
    ['PathPrefix(`/x`) && Host(`a.org`)', ['a.org']],
    ['Host(`a.org`) || Host(`b.org`)', ['a.org', 'b.org']],
    ['Host(`a.org`) && (PathPrefix(`/x`) || PathPrefix(`/y`))', ['a.org']],
    ['(Host(`a.org`) || Host(`b.org`)) && Host(`b.org`)', ['b.org']],
  ])('are those of %s', (match, expected) => {
    expect(hosts(match)).toEqual(expected);
  });

  it.each([
    'PathPrefix(`/x`)',
    'Host(`a.org`) || PathPrefix(`/x`)',
    '!Host(`a.org`)',
    'HostRegexp(`.*`)',
    'HostSNI(`*`)',
    'Host()',
    'Host(`a.org`',
    'Host(`a.org`) Host(`b.org`)',
    'Host(`a.org`) &&',
    '',
  ])('are any for %p', (match) => {
    expect(hosts(match)).toBe('any');
  });
});
