/**
 * A deployment's run never continues as new, and is to stay below 5,000 events. A slice of sampling costs 6; a step about 14 for
 * each service; a watch of two weeks, which no pause outlasts, 300 slices.
 */
const MOST_SLICES = 240;
export const MOST_STEPS = 80;

/** Seconds. What a slice saw is shown when it ends; a breach ends it at once. */
const SHORTEST = 60;

/**
 * How long one sampling activity of a step lasts: a minute, or longer where the canary's steps would need too many.
 * @param steps of all services together
 */
export function sliceSeconds(bakeSeconds: number, steps: number): number {
  return Math.max(SHORTEST, Math.ceil((bakeSeconds * steps) / MOST_SLICES));
}

/**
 * How long one sampling activity lasts that only guards, while a person or something else is waited for: ten minutes at first,
 * up to two hours for what has lasted for days.
 */
export function guardSeconds(elapsedSeconds: number): number {
  return Math.min(7200, Math.max(600, Math.ceil(elapsedSeconds / 50)));
}
