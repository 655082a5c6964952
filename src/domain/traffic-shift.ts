/** How ECS shifts traffic: in equal steps, or one step and then all. */
export interface TrafficShift {
  readonly strategy: 'LINEAR' | 'CANARY';
  /** Of each step, or of the first. */
  readonly percent: number;
}

/** What `trafficShift` finds possible, for people. */
export const POSSIBLE_SHIFTS =
  'one step and then the rest, such as [10, 100], or equal steps of 3 % or more, such as [25, 50, 75, 100]';

/** `why` in a few words; `reason` is a sentence with what is possible instead. */
interface Impossible {
  readonly kind: 'impossible';
  readonly why: string;
  readonly reason: string;
}

/**
 * ECS's own strategy for the steps, as its API has it: `LINEAR` in multiples of 0.1 from 3 to 100 %, `CANARY` from 0.1 to 100 %.
 * @returns what is possible instead, when ECS can't do them
 */
export function trafficShift(
  steps: readonly number[],
): ({ readonly kind: 'possible' } & TrafficShift) | Impossible {
  const first = steps[0];
  if (first === undefined || steps.at(-1) !== 100) return impossible(steps, 'the last step is not 100');
  const tenths = steps.map((step) => Math.round(step * 10));
  if (!tenths.every((tenth, i) => isStep(tenth, steps[i] ?? 0)))
    return impossible(steps, 'a step is not a multiple of 0.1 from 0.1 to 100');
  if (tenths.some((step, i) => i > 0 && step <= (tenths[i - 1] ?? 0)))
    return impossible(steps, 'the steps do not ascend');
  if (steps.length === 2) return { kind: 'possible', strategy: 'CANARY', percent: first };
  if (!isLinear(tenths)) return impossible(steps, 'the steps are not equal');
  if (first < 3) return impossible(steps, 'equal steps are smaller than 3');
  return { kind: 'possible', strategy: 'LINEAR', percent: first };
}

/** NaN is none. */
function isStep(tenth: number, step: number): boolean {
  return Math.abs(tenth / 10 - step) < 1e-9 && tenth >= 1 && tenth <= 1000;
}

/** ECS's last step is whatever is left. */
function isLinear(tenths: readonly number[]): boolean {
  const size = tenths[0] ?? 0;
  return (
    tenths.every((step, i) => step === Math.min(1000, size * (i + 1))) &&
    tenths.length === Math.ceil(1000 / size)
  );
}

function impossible(steps: readonly number[], why: string): Impossible {
  return {
    kind: 'impossible',
    why,
    reason: `ECS can't shift traffic by [${steps.join(', ')}]: ${why}. It can do ${POSSIBLE_SHIFTS}.`,
  };
}
