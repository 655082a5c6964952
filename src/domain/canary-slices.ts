/**
 * A deployment's run never continues as new, and is to stay below 5,000 events. A slice of sampling costs 6; a step about 14 for
 * each service.
 */
const MOST_SLICES = 400;
export const MOST_STEPS = 80;

/** Seconds. What a slice saw is shown when it ends; a breach ends it at once. */
const SHORTEST = 60;

/**
 * How long one sampling activity lasts: a minute, or longer where the canary's steps would need too many.
 * @param steps of all services together
 */
export function sliceSeconds(bakeSeconds: number, steps: number): number {
  return Math.max(SHORTEST, Math.ceil((bakeSeconds * steps) / MOST_SLICES));
}
