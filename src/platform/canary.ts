import { MOST_STEPS } from '../domain/canary-slices.ts';
import {
  atStep,
  LONGEST_PAUSE_MINUTES,
  tooLong,
  total,
  type Ahead,
  type CanaryTimes,
} from '../domain/dead-man.ts';
import { span } from '../domain/span.ts';
import { POSSIBLE_SHIFTS, trafficShift } from '../domain/traffic-shift.ts';
import { waves } from '../domain/waves.ts';
import type { Path } from './document.ts';
import { isMap } from './merge.ts';
import type { PlatformProblem } from './problems.ts';
import { mapAt, valueAt } from './raw.ts';
import type { EnvironmentFile, PlatformFile } from './schema.ts';

export type CanaryFile = NonNullable<EnvironmentFile['rollout']['canary']>;

/** What is wrong with a canary by itself: steps that ECS can't do, thresholds that judge nothing. */
export function canaryProblems(canary: unknown, path: Path): PlatformProblem[] {
  if (canary === undefined) return [];
  return [
    ...stepsProblem(valueAt(canary, 'steps'), [...path, 'steps']),
    ...judgeProblem(valueAt(canary, 'judge'), [...path, 'judge']),
  ];
}

/** What is wrong with a dead man's switch, in any environment: one that acts on a run that goes as the policy has it. */
export function deadManProblems(platform: PlatformFile): PlatformProblem[] {
  return Object.entries(platform.environments).flatMap(([name, environment]) => {
    const times = canaryTimes(platform, environment);
    const path = ['environments', name, 'rollout', 'canary'];
    return times === undefined ? [] : [...shortProblem(times, path), ...longProblem(tooLong(times), path)];
  });
}

/** A canary of more steps than one run can record. */
export function manyStepsProblems(platform: PlatformFile): PlatformProblem[] {
  return Object.entries(platform.environments).flatMap(([name, { rollout }]) => {
    const { canary } = rollout;
    const services = canary === undefined ? 0 : canaryServices(platform, canary).length;
    const steps = services * (canary?.steps.length ?? 0);
    if (canary === undefined || steps <= MOST_STEPS) return [];
    return [
      {
        path: ['environments', name, 'rollout', 'canary', 'steps'],
        found: `${canary.steps.length} steps of ${services} services, ${steps} in all`,
        allowed: `${MOST_STEPS} in all, of which one run can keep a record: fewer steps, or fewer services that go by canary`,
      },
    ];
  });
}

/** Names of the services that go by canary. */
export function canaryServices(platform: PlatformFile, { services }: CanaryFile): string[] {
  return Object.keys(platform.services).filter((name) => services?.includes(name) ?? true);
}

/** What the file lets the canary's parts last; nothing for an environment without one. */
export function canaryTimes(
  platform: PlatformFile,
  { rollout, verification }: EnvironmentFile,
): CanaryTimes | undefined {
  const { canary, timeout } = rollout;
  if (canary === undefined) return undefined;
  const inWaves = wavesOf(platform, canaryServices(platform, canary));
  return {
    ...(canary.deadMan !== undefined && { deadMan: canary.deadMan }),
    bake: canary.bake,
    steps: canary.steps.length,
    smoke: suitesLast(platform, canary.smoke),
    rollout: timeout,
    services: Object.keys(platform.services).length,
    waves: inWaves.length,
    together: Math.max(0, ...inWaves),
    tests: suitesLast(platform, verification.tests),
    manualTest: verification.manualTest?.expiresAfter ?? 0,
    metrics: verification.metrics.window,
    soak: verification.soak,
  };
}

function suitesLast({ tests }: PlatformFile, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (tests[name]?.timeout ?? 0), 0);
}

/** How many of `names` each wave holds that holds any. A cycle, which is a problem of its own, counts as one after the other. */
function wavesOf({ services }: PlatformFile, names: readonly string[]): number[] {
  const ordered = waves(Object.entries(services).map(([name, { dependsOn }]) => ({ name, dependsOn })));
  if (ordered.kind === 'cyclic') return names.map(() => 1);
  const held = ordered.waves.map((wave) => wave.filter(({ name }) => names.includes(name)).length);
  return held.filter((count) => count > 0);
}

function stepsProblem(steps: unknown, path: Path): PlatformProblem[] {
  if (!Array.isArray(steps) || !steps.every((step) => typeof step === 'number')) return [];
  const shift = trafficShift(steps);
  if (shift.kind === 'possible') return [];
  return [
    {
      path,
      found: `[${steps.join(', ')}], by which ECS can't shift traffic: ${shift.why}`,
      allowed: POSSIBLE_SHIFTS,
    },
  ];
}

function judgeProblem(judge: unknown, path: Path): PlatformProblem[] {
  if (judge === undefined) return [];
  const latency = valueAt(judge, 'latency');
  const ofLatency = ['minimumShare', 'maximumDecrease'];
  if (isMap(latency) && ofLatency.every((field) => valueAt(latency, field) === undefined)) {
    return [
      {
        path: [...path, 'latency'],
        found: 'no threshold of a share, which judges nothing',
        allowed: ofLatency.join(', or '),
      },
    ];
  }
  return canFail(judge)
    ? []
    : [
        {
          path,
          found:
            'no threshold that a release could miss at 100 %, where no old version is left to compare with',
          allowed: 'maximumErrorRate below 1, or latency.minimumShare above 0, beside those that compare',
        },
      ];
}

/** Whether a threshold that needs nothing to compare with leaves room for a release to miss it. */
function canFail(judge: unknown): boolean {
  const most = valueAt(judge, 'maximumErrorRate');
  const { minimumShare } = mapAt(judge, 'latency');
  return (most !== undefined && most !== 1) || (minimumShare !== undefined && minimumShare !== 0);
}

/** A pause that may end before what is done at it does. */
function shortProblem(times: CanaryTimes, path: Path): PlatformProblem[] {
  const { deadMan } = times;
  const parts = atStep(times);
  const least = Math.ceil(total(parts) / 60) * 60;
  if (deadMan === undefined || deadMan >= least) return [];
  return [
    {
      path: [...path, 'deadMan'],
      found: `${span(deadMan)}, after which ECS goes back, though the canary may be good`,
      allowed: `${span(least)} or more: ${told(parts)}`,
    },
  ];
}

function longProblem(parts: readonly Ahead[], path: Path): PlatformProblem[] {
  if (parts.length === 0) return [];
  return [
    {
      path,
      found: `a pause at 100 % that may have to last ${span(total(parts))}: ${told(parts)}`,
      allowed: `${span(LONGEST_PAUSE_MINUTES * 60)} in all, the longest pause of ECS`,
    },
  ];
}

function told(parts: readonly Ahead[]): string {
  return parts.map(({ what, seconds }) => `${what} ${span(seconds)}`).join(', ');
}
