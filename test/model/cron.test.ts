/**
 * How far apart the firings of a schedule are, by which alerts of backups judge what is too old.
 * It deliberately tests no refusals: those are fixtures of test/model/invalid.
 */
import { longestGapHours } from '../../lib/model/cron';

test.each([
  ['40 */6 * * *', 6, 'every six hours'],
  ['15 3 * * *', 24, 'daily'],
  ['0 0,1 * * *', 23, 'twice in one night: from the second to the first of the next'],
  ['15 3 * * 0', 168, 'weekly'],
  ['15 3 * * mon,thu', 96, 'on two days of the week: the longer way round'],
  ['15 3 1 * *', 31 * 24, 'monthly, by the longest month'],
  ['15 3 1 * sun', 168, 'on the first or on a Sunday, since either is enough'],
  ['15 3 */2 * *', 48, 'every second day'],
  ['0 4 29 2 *', (4 * 365 + 1) * 24, 'on leap days'],
])('the firings of %s are at most %d hours apart: %s', (schedule, hours) => {
  expect(longestGapHours(schedule)).toBe(hours);
});
