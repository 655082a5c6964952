import type { EcsContext } from './context.ts';
import type { ServiceRecord, TaskRecord } from './records.ts';
import { definitionOf } from './task-spec.ts';
import { targetsOf } from './tasks.ts';
import type { TaskView } from './view.ts';

/** How long ECS waits before it counts a task without any health check, in milliseconds of AWS's time. */
const UNCHECKED_MS = 40_000;

/**
 * A process takes true time to start, at any speed: a faster clock doesn't take a task for sick before it has run
 * this many true milliseconds, nor does it cut a service's own grace period below the second figure.
 */
const START_ALLOWANCE_MS = 3_000;
const KEPT_GRACE_MS = 10_000;

export interface Judgement {
  readonly health: TaskView['health'];
  readonly reason?: string;
  /** Runs successfully, in the sense of a deployment's `failedTasks`. */
  readonly successful: boolean;
  /** When time alone changes the judgement, in milliseconds since the epoch. */
  readonly until?: number;
}

const PENDING: Judgement = { health: 'pending', successful: false };
const PASSING: Judgement = { health: 'passing', successful: true };

/** A running task by its containers' health checks and its target groups; see minimumHealthyPercent in ECS's API. */
export function judgeTask(ecs: EcsContext, service: ServiceRecord, task: TaskRecord): Judgement {
  if (task.lastStatus !== 'RUNNING' || task.startedAt === undefined) return PENDING;
  const checks = [...containerChecks(ecs, task), ...targetChecks(ecs, task)];
  const startedAt = Date.parse(task.startedAt);
  if (checks.length === 0) return unchecked(ecs, startedAt);
  const failing = checks.find(({ health }) => health === 'failing');
  if (!failing) return checks.every(({ health }) => health === 'passing') ? PASSING : PENDING;
  const graceEnds = startedAt + graceOf(ecs, service);
  return ecs.clock.now() < graceEnds ? { ...PENDING, until: graceEnds } : failing;
}

/** In true milliseconds. */
function graceOf({ clock }: EcsContext, { healthCheckGracePeriodSeconds = 0 }: ServiceRecord): number {
  const wanted = healthCheckGracePeriodSeconds * 1000;
  if (clock.speed <= 1) return wanted / clock.speed;
  return Math.max(wanted / clock.speed, Math.min(wanted, KEPT_GRACE_MS), START_ALLOWANCE_MS);
}

function unchecked(ecs: EcsContext, startedAt: number): Judgement {
  const counted = startedAt + UNCHECKED_MS / ecs.clock.speed;
  if (ecs.clock.now() >= counted) return PASSING;
  return { health: 'pending', successful: true, until: counted };
}

function containerChecks(ecs: EcsContext, task: TaskRecord): Judgement[] {
  const checked = (definitionOf(ecs, task.taskDefinitionArn).containerDefinitions ?? []).filter(
    ({ essential = true, healthCheck }) => essential && healthCheck,
  );
  return checked.map(({ name }) => {
    const health = task.containers.find((container) => container.name === name)?.healthStatus;
    if (health === 'HEALTHY') return PASSING;
    if (health !== 'UNHEALTHY') return PENDING;
    return { health: 'failing', reason: 'Task failed container health checks', successful: false };
  });
}

function targetChecks(ecs: EcsContext, task: TaskRecord): Judgement[] {
  return targetsOf(ecs, task).map(({ targetGroupArn, target }) => {
    const known = ecs.targets
      .health(targetGroupArn)
      .find((each) => each.target.id === target.id && each.target.port === target.port);
    if (known?.health.state === 'healthy') return PASSING;
    if (known?.health.state !== 'unhealthy') return PENDING;
    const reason = `Task failed ELB health checks in (target-group ${targetGroupArn})`;
    return { health: 'failing', reason, successful: false };
  });
}
