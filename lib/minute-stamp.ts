/** The minute of a moment as the end of a name, for objects and folders that are made by hand and may be made again. It deliberately is in UTC, like every time here. */

/** `202606011234`: digits only, so that it may stand in every Kubernetes name. */
export function minuteStamp(now: Date): string {
  return now.toISOString().replace(/\D/g, '').slice(0, 'yyyymmddhhmm'.length);
}
