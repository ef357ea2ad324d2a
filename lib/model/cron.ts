/**
 * Whether five cron fields are what Agones, CloudNativePG and K8up accept (robfig/cron's standard parser), with the sentence that says what is wrong.
 * It deliberately computes no times, only whether the day ever comes: when a schedule fires is the cluster's business.
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

/** Days of each month, February's of a leap year. */
const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A day that none of the months has, such as 31 of February. Beside a day of the week it is harmless: then either day is enough. */
function dateMistake(schedule: string, fields: readonly string[]): string | undefined {
  const [, , days = '', months = '', weekdays = ''] = fields;
  if (!weekdays.split(',').some((part) => /^[*?](\/1)?$/.test(part))) return undefined;
  const [, , day, month] = FIELDS;
  if (!day || !month) return undefined;
  const longest = Math.max(...valuesOf(months, month).map((each) => LONGEST[each - 1] ?? 0));
  if (Math.min(...valuesOf(days, day)) <= longest) return undefined;
  return `'${schedule}' never comes: no month '${months}' has a day '${days}'; use at most ${longest === 29 ? '28 (29 is there in leap years only)' : longest} as day of the month.`;
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
