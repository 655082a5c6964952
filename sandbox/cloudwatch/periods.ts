import { AwsError } from '../protocol/service.ts';

const SHORT_PERIODS = [1, 5, 10, 20, 30];

/** Whether CloudWatch has that period, in seconds: 1, 5, 10, 20, 30 or whole minutes. */
export function isPeriod(seconds: number): boolean {
  return SHORT_PERIODS.includes(seconds) || (seconds > 0 && seconds % 60 === 0);
}

/** The range of a request in seconds since the epoch. @throws AwsError of `code` when it ends before it begins */
export function rangeOf(
  { StartTime, EndTime }: { StartTime: Date; EndTime: Date },
  code: string,
): { start: number; end: number } {
  const start = Math.floor(StartTime.getTime() / 1000);
  const end = Math.ceil(EndTime.getTime() / 1000);
  if (StartTime >= EndTime) {
    throw new AwsError(code, 'The parameter StartTime must be less than the parameter EndTime.');
  }
  return { start, end };
}

/** The beginning of the period that a second is in. */
export function alignDown(second: number, period: number): number {
  return Math.floor(second / period) * period;
}
