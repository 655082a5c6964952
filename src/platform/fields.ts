import { z } from 'zod';

/**
 * Kinds of field. Each says what it allows (`error`, for whoever got it wrong) and what it is called in the reference (`title`).
 */

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400 };
const DURATION = /^\d+(\.\d+)?(ms|s|m|h|d)$/;

/** A text that matches `pattern`. */
export function text(title: string, pattern: RegExp, allowed: string): z.ZodString {
  return z.string({ error: allowed }).regex(pattern, { error: allowed }).meta({ title });
}

/** A text such as `30s`; read as seconds. `least` and `most` are durations too, and included. */
export function duration(least: string, most: string): z.ZodType<number, string> {
  const allowed = `a duration from ${least} to ${most}, such as 30s, 5m, 2h or 7d`;
  return z
    .string({ error: allowed })
    .regex(DURATION, { error: allowed })
    .refine((value) => !DURATION.test(value) || within(secondsOf(value), secondsOf(least), secondsOf(most)), {
      error: allowed,
    })
    .meta({ title: `duration, ${least} to ${most}` })
    .transform(secondsOf);
}

/** A duration of whole minutes, read as seconds. */
export function wholeMinutes(least: string, most: string): z.ZodType<number, string> {
  const allowed = `a duration of whole minutes from ${least} to ${most}, such as 30m, 2h or 7d`;
  return z
    .string({ error: allowed })
    .regex(DURATION, { error: allowed })
    .refine((value) => !DURATION.test(value) || isWholeMinutes(secondsOf(value), least, most), {
      error: allowed,
    })
    .meta({ title: `duration of whole minutes, ${least} to ${most}` })
    .transform(secondsOf);
}

export function integer(least: number, most: number): z.ZodNumber {
  const allowed = `a whole number from ${least} to ${most}`;
  return z
    .int({ error: allowed })
    .min(least, { error: allowed })
    .max(most, { error: allowed })
    .meta({ title: `${least} to ${most}` });
}

export function percent(least: number, most: number): z.ZodNumber {
  const allowed = `a percentage from ${least} to ${most}, as a plain number`;
  return z
    .number({ error: allowed })
    .min(least, { error: allowed })
    .max(most, { error: allowed })
    .meta({ title: `percent, ${least} to ${most}` });
}

/** A part of a whole, 0 to 1. */
export function share(): z.ZodNumber {
  const allowed = 'a share from 0 to 1, such as 0.01 for 1 %';
  return z
    .number({ error: allowed })
    .min(0, { error: allowed })
    .max(1, { error: allowed })
    .meta({ title: 'share, 0 to 1' });
}

export function oneOf<const T extends string>(values: readonly [T, ...T[]]): z.ZodEnum<{ [V in T]: V }> {
  return z.enum(values, { error: values.join(' or ') });
}

export function flag(): z.ZodBoolean {
  return z.boolean({ error: 'true or false' }).meta({ title: 'true or false' });
}

/** A map with these fields and no other. */
export function object<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, { error: `a map with fields of ${Object.keys(shape).join(', ')}` });
}

/** A map from names that people choose. `what` is what it maps, such as `services`. */
export function named<T extends z.ZodType>(
  what: string,
  name: z.ZodString,
  value: T,
): z.ZodRecord<z.ZodString, T> {
  return z.record(name, value, { error: `a map of ${what} by name` });
}

export function list<T extends z.ZodType>(what: string, item: T): z.ZodArray<T> {
  return z.array(item, { error: `a list of ${what}` });
}

/** A list with something in it. */
export function someOf<T extends z.ZodType>(what: string, item: T): z.ZodArray<T> {
  return list(what, item).min(1, { error: `a list of one or more ${what}` });
}

/** A path inside the repository. */
export function repositoryPath(): z.ZodString {
  return text(
    'path',
    /^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+$/,
    'a path inside the repository: relative, without ..',
  );
}

/** @returns the seconds of a duration such as `5m`; NaN when it is none */
export function secondsOf(value: string): number {
  if (!DURATION.test(value)) return Number.NaN;
  const unit = /[a-z]+$/.exec(value)?.[0] ?? '';
  return Number.parseFloat(value) * (SECONDS[unit] ?? Number.NaN);
}

function isWholeMinutes(seconds: number, least: string, most: string): boolean {
  return seconds % 60 === 0 && within(seconds, secondsOf(least), secondsOf(most));
}

function within(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
