import type { Circumstances, Stage } from './strategy.ts';
import type { RolloutView, ServiceView } from './view.ts';

const MINUTE_MS = 60_000;

/** True milliseconds of so many minutes of AWS's time. */
export function trueMs(minutes: number, { speed }: Pick<Circumstances, 'speed'>): number {
  return (minutes * MINUTE_MS) / speed;
}

/** Waits, from when the stage began, while nothing changes. */
export function bakeTime(minutes: number, given: Pick<Circumstances, 'speed'>): Stage {
  const endOf = ({ since }: RolloutView): number => since + trueMs(minutes, given);
  return {
    name: 'BAKE_TIME',
    work: ({ rollout }: ServiceView) => (rollout ? [{ kind: 'lookAgain', at: endOf(rollout) }] : []),
    isDone: ({ rollout, now }: ServiceView) => rollout !== undefined && now >= endOf(rollout),
  };
}
