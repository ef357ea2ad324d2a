/**
 * Whether five cron fields are what Agones, CloudNativePG and K8up accept (robfig/cron's standard parser), with the sentence that says what is wrong.
 * It deliberately computes no next time, only whether there is one and how far apart they are: when a schedule fires is the cluster's business.
 */

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of the month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { name: 'day of the week', min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** What is wrong with a schedule of five fields, or undefined. */
export function cronMistake(schedule: string): string | undefined {
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) return `'${schedule}' has ${fields.length} fields; a schedule has five, such as '0 19 * * 5'.`;
  for (const [index, field] of FIELDS.entries()) {
    const text = fields[index] ?? '';
    const wrong = text.split(',').find((part) => !isValid(part, field));
    if (wrong === undefined) continue;
    const sunday = field.max === 6 && /7/.test(wrong) ? ' (Sunday is 0)' : '';
    return `'${schedule}' has '${wrong}' as ${field.name}, which must be from ${field.min} to ${field.max}${field.names ? ' or a name' : ''}${sunday}, '*', a range or a step.`;
  }
  return dateMistake(schedule, fields);
}

/** Whether a field leaves the choice to others; every second of something is a choice. */
const isAny = (field = '*'): boolean => field.split(',').some((part) => /^[*?](\/1)?$/.test(part));

/** Days of each month, February's of a leap year. */
const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A day that none of the months has, such as 31 of February. Beside a day of the week it is harmless: then either day is enough. */
function dateMistake(schedule: string, fields: readonly string[]): string | undefined {
  const [, , days = '', months = '', weekdays = ''] = fields;
  if (!isAny(weekdays)) return undefined;
  const [, , day, month] = FIELDS;
  if (!day || !month) return undefined;
  const longest = Math.max(...valuesOf(months, month).map((each) => LONGEST[each - 1] ?? 0));
  if (Math.min(...valuesOf(days, day)) <= longest) return undefined;
  return `'${schedule}' never comes: no month '${months}' has a day '${days}'; use at most ${longest === 29 ? '28 (29 is there in leap years only)' : longest} as day of the month.`;
}

/** Years that hold every combination of month, day and day of the week, leap days included. */
const YEARS = 28;
const DAY_HOURS = 24;

/**
 * The longest time between two firings of a valid schedule, in hours, rounded up: 6 for every six hours, 24 for daily, 168 for weekly.
 * In UTC: where clocks change, one day of the year may be an hour longer.
 */
export function longestGapHours(schedule: string): number {
  const fields = schedule.trim().split(/\s+/);
  const [minutes, hours, days, months, weekdays] = FIELDS.map((field, index) => new Set(valuesOf(fields[index] ?? '*', field)));
  // As robfig/cron: where both the day of the month and that of the week are said, either is enough.
  const isOneAny = isAny(fields[2]) || isAny(fields[4]);
  const times = [...(hours ?? [])].flatMap((hour) => [...(minutes ?? [])].map((minute) => hour * 60 + minute)).sort((a, b) => a - b);
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const within = times.reduce((most, time, index) => Math.max(most, index === 0 ? 0 : time - (times[index - 1] ?? 0)), 0);
  let apart = 0;
  let before: number | undefined;
  // 1 January 2000 was a Saturday.
  let day = 6;
  for (let year = 2000; year < 2000 + YEARS; year++) {
    for (const [month, longest] of LONGEST.entries()) {
      const length = month === 1 && year % 4 !== 0 ? 28 : longest;
      for (let date = 1; date <= length; date++, day++) {
        const [ofMonth, ofWeek] = [days?.has(date) === true, weekdays?.has(day % 7) === true];
        if (!months?.has(month + 1) || !(isOneAny ? ofMonth && ofWeek : ofMonth || ofWeek)) continue;
        if (before !== undefined) apart = Math.max(apart, day - before);
        before = day;
      }
    }
  }
  return Math.ceil(Math.max(within, apart * DAY_HOURS * 60 - last + first) / 60);
}

/** Every value of a field that is valid. */
function valuesOf(text: string, field: Field): number[] {
  return text.split(',').flatMap((part) => {
    const [range = '', step] = part.split('/');
    const isAny = range === '*' || range === '?';
    const [from = field.min, to = step === undefined ? from : field.max] = isAny
      ? [field.min, field.max]
      : range.split('-').map((end) => fieldValue(end, field) ?? field.min);
    const every = Number(step ?? 1);
    return Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, index) => from + index * every);
  });
}

function isValid(part: string, field: Field): boolean {
  const [range = '', step, ...rest] = part.split('/');
  if (rest.length > 0 || (step !== undefined && !/^[1-9][0-9]*$/.test(step))) return false;
  if (range === '*' || range === '?') return true;
  const ends = range.split('-').map((end) => fieldValue(end, field));
  if (ends.length > 2 || ends.some((end) => end === undefined)) return false;
  const [from = 0, to = from] = ends;
  return from <= to;
}

function fieldValue(text: string, field: Field): number | undefined {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + field.min;
  if (!/^[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= field.min && value <= field.max ? value : undefined;
}
